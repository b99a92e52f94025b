using RawPush.Fanout.Formats;
using RawPush.Server.Connections;

namespace RawPush.Server.Sessions;

/// <summary>A client that reads server-sent events.</summary>
internal sealed class SseSession(SessionServices services, ClientTransport transport, WireFormat format)
    : ClientSession(services, transport, format)
{
    private long _lastSentMs = transport.Loop.NowMs;

    /// <summary>A comment: proxies see traffic, clients see nothing (WHATWG HTML section 9.2.7).</summary>
    private static ReadOnlySpan<byte> Heartbeat => ":\n\n"u8;

    // Leaving is how a reader of events says that it has had enough.
    public override void OnPeerClosed() => End(ConnectionEndReason.ClientClosed);

    protected override int Write(ReadOnlySpan<byte[]> forms)
    {
        _lastSentMs = NowMs;
        return Transport.Write(forms);
    }

    // Such a client has nothing to say; what it sends all the same is dropped.
    protected override int Receive(Span<byte> bytes) => bytes.Length;

    protected override bool TryWritePending() => true;

    protected override long CheckIdle(long nowMs)
    {
        if (nowMs - _lastSentMs >= Timeouts.PingMs && Transport.TryWrite(Heartbeat, default))
        {
            _lastSentMs = nowMs;
        }

        // A blocked client gets no comment, and is looked at again soon.
        return Math.Max(_lastSentMs + Timeouts.PingMs, nowMs + TimerWheel.TickMs);
    }

    protected override void SayGoodbye(ConnectionEndReason reason, string sentence) => Transport.Close(lingers: false);
}
