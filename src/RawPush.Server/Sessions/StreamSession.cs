using RawPush.Fanout.Formats;
using RawPush.Server.Connections;

namespace RawPush.Server.Sessions;

/// <summary>A client that reads a response without an end: server-sent events, or JSON lines.</summary>
internal sealed class StreamSession(SessionServices services, ClientTransport transport, WireFormat format)
    : ClientSession(services, transport, format)
{
    private const int RetryMsMin = 1000;
    private const int RetryMsMax = 5000;

    private long _lastSentMs = transport.Loop.NowMs;

    private bool IsEventStream => Format != WireFormat.JsonLine;

    /// <summary>A comment, or an empty line: proxies see traffic, clients see nothing (WHATWG HTML section 9.2.7).</summary>
    public static ReadOnlySpan<byte> HeartbeatOf(bool isEventStream) => isEventStream ? ":\n\n"u8 : "\n"u8;

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
        if (nowMs - _lastSentMs >= Timeouts.PingMs && Transport.TryWrite(HeartbeatOf(IsEventStream), default))
        {
            _lastSentMs = nowMs;
        }

        // A blocked client gets no comment, and is looked at again soon.
        return Math.Max(_lastSentMs + Timeouts.PingMs, nowMs + TimerWheel.TickMs);
    }

    protected override void SayGoodbye(ConnectionEndReason reason, string sentence)
    {
        if (!IsEventStream || reason == ConnectionEndReason.ClientClosed)
        {
            Transport.Close(lingers: false);
            return;
        }

        // An EventSource comes back by itself. Not all at the same moment.
        Span<byte> retry = stackalloc byte[32];
        System.Text.Unicode.Utf8.TryWrite(retry, $"retry: {Random.Shared.Next(RetryMsMin, RetryMsMax)}\n\n", out int length);
        Transport.Close(lingers: false, lastWords: retry[..length]);
    }
}
