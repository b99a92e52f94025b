namespace RawPush.Fanout.Brokers.Nats;

/// <summary>Hears what becomes of the connection to NATS. Called from the client's own threads: must not wait.</summary>
public interface IBusObserver
{
    /// <summary>There is a connection.</summary>
    void OnConnected(string server);

    /// <summary>There is none any more.</summary>
    void OnDisconnected(string reason);

    /// <summary>There is a connection, and what this node needs is not at its other end.</summary>
    void OnMisfit(string reason);

    /// <summary>A bug: a part of the broker has ended.</summary>
    void OnFault(Exception exception);
}
