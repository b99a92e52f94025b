using RawPush.Protocol;
using RawPush.Server.Connections;

namespace RawPush.Server.Sessions;

/// <summary>Frames that have no log to wait in, kept while their connection is blocked: replies in order, the last control frame, and the Close frame.</summary>
internal sealed class WaitingFrames
{
    private PooledBuffer _replies;
    private byte[]? _control;
    private byte[]? _close;

    /// <summary>How many bytes of replies wait.</summary>
    public int ReplyBytes => _replies.Length;

    public bool HasClose => _close is not null;

    /// <summary>Adds a reply. False: it would exceed the limit, and was not added.</summary>
    public bool TryAdd(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body, int bytesMax)
    {
        if ((long)_replies.Length + head.Length + body.Length > bytesMax)
        {
            return false;
        }

        _replies.Append(head);
        _replies.Append(body);
        return true;
    }

    /// <summary>Keeps a ping or pong, instead of the one before: an answer to the last ping answers all (RFC 6455 section 5.5.3).</summary>
    public void SetControl(ReadOnlySpan<byte> frame) => _control = frame.ToArray();

    public void SetClose(ReadOnlySpan<byte> frame) => _close = frame.ToArray();

    /// <summary>Writes everything in one go; the transport must not be blocked.</summary>
    public void WriteTo(ClientTransport transport)
    {
        // One write: the first could block the transport, and then the second would be refused.
        _replies.Append(_control);
        _replies.Append(_close);
        transport.TryWrite(default, _replies.Written);
    }

    public void Release() => _replies.Release();
}
