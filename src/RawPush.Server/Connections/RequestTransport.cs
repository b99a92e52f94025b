using RawPush.Protocol.Proxy;
using RawPush.Server.Sessions;

namespace RawPush.Server.Connections;

/// <summary>A poll or a HEAD that Kestrel's HTTP server brought: no byte stream, one answer.</summary>
internal sealed class RequestTransport(ConnectionLoop loop, string connectionId, HostAddress? peer) : ClientTransport(loop), IPollTransport
{
    private readonly TaskCompletionSource<PollAnswer?> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override string ConnectionId => connectionId;

    public override HostAddress? FindPeer() => peer;

    // The connection is Kestrel's, and so is what comes next on it.
    public bool CanGoOn => true;

    /// <summary>Runs the session until it has its answer. Begins on the shard. Null: there is nobody to answer.</summary>
    public async Task<PollAnswer?> RunAsync(ClientSession session, bool isDraining)
    {
        Session = session;
        Loop.Add(this);
        session.Start();
        if (isDraining)
        {
            // The goodbye to all has passed this one by.
            session.Drain();
        }

        var answer = await _answer.Task;
        await Loop.Shard.SwitchTo();
        Loop.Timers.Cancel(this);
        Loop.Remove(this);
        session.OnClosed();
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        return answer;
    }

    /// <summary>The client has gone. Any thread.</summary>
    public void Leave() => Loop.Shard.Post(() => Session?.OnPeerClosed());

    public void Answer(PollAnswer answer) => _answer.TrySetResult(answer);

    public override void Abort() => _answer.TrySetResult(null);

    public override void Drain() => Session?.Drain();

    // Nothing is written but the answer, and nothing read.
    public override int Write(ReadOnlySpan<byte[]> forms) => forms.Length;

    public override bool TryWrite(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body) => true;

    public override void PauseReading()
    {
    }

    public override void ResumeReading()
    {
    }

    public override void Close(bool lingers, ReadOnlySpan<byte> lastWords = default) => Abort();

    protected internal override void OnTimer(long nowMs) => Session?.OnTimer(nowMs);
}
