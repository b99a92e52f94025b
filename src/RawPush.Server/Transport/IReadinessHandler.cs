namespace RawPush.Server.Transport;

/// <summary>Somebody whose descriptor an event loop watches: a listener or a connection.</summary>
internal interface IReadinessHandler
{
    /// <summary>The kernel has something to say about the descriptor. On the loop; must not throw and must not wait.</summary>
    /// <param name="events">A set of <see cref="Libc.EpollIn"/> and its neighbours.</param>
    void OnReady(uint events);

    /// <summary>The loop has ended: give the descriptor back.</summary>
    void OnLoopEnded();
}
