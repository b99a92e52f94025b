using System.Buffers;
using RawPush.Protocol.Http;
using RawPush.Server.Hosting;
using RawPush.Server.Requests;

namespace RawPush.Server.Connections;

/// <summary>What a request head is, as far as it has come.</summary>
internal enum HeadVerdict
{
    /// <summary>Not decided; nothing is consumed.</summary>
    NeedMore,

    /// <summary>Whole, and for us.</summary>
    Ours,

    /// <summary>For us, and malformed.</summary>
    Refused,

    /// <summary>Not for us, and none of its bytes may be consumed.</summary>
    Foreign,

    /// <summary>The client left in the middle of it.</summary>
    Gone,
}

/// <summary>The request head of a connection while it is read, whoever reads it. Kept no longer than that takes.</summary>
internal sealed class Handshake(PushRoutes routes, RequestHeadLimits limits, ForwardedField? forwardedField, byte[]? userField)
{
    private RequestHeadParser _parser = new(limits);
    private bool _beginsWithHead;

    /// <summary>What the head says; complete when it is ours.</summary>
    public PushRequest Request { get; } = new() { ForwardedField = forwardedField, UserField = userField };

    /// <summary>Bytes of a head that is ours.</summary>
    public int HeadBytes => _parser.BytesConsumed;

    /// <summary>The request line has come, and it is ours: whatever follows, the bytes will not be handed on.</summary>
    public bool IsOurs => _parser.HasRequestLine;

    /// <summary>The method is HEAD, also where nothing else of the request line can be read: an answer has no body.</summary>
    public bool IsHead => Request.IsHead || _beginsWithHead;

    /// <summary>How to answer a head that is refused. After one nothing says where the next byte belongs.</summary>
    public Refusal Refusal => new(_parser.Refusal.StatusCode, _parser.Refusal.Reason) { LeavesBytes = true };

    /// <summary>Looks at the head from its first byte to what has come by now.</summary>
    /// <param name="head">What the last call was given and, after it, what came since.</param>
    /// <param name="isEnd">Nothing more will come.</param>
    public HeadVerdict Judge(in ReadOnlySequence<byte> head, bool isEnd)
    {
        var handler = new PushHeadHandler(Request, routes);
        var status = _parser.Parse(head, ref handler);
        return status switch
        {
            HeadStatus.Done => HeadVerdict.Ours,
            HeadStatus.NeedMore => isEnd ? HeadVerdict.Gone : HeadVerdict.NeedMore,
            HeadStatus.Declined => HeadVerdict.Foreign,
            _ when IsEmptyLines(head) => JudgeEmptyLines(head.Length, isEnd),
            _ => _parser.HasRequestLine || PushRoutes.LooksOurs(head, out _beginsWithHead) ? HeadVerdict.Refused : HeadVerdict.Foreign,
        };
    }

    private HeadVerdict JudgeEmptyLines(long bytes, bool isEnd)
    {
        if (bytes > limits.HeadBytesMax)
        {
            return HeadVerdict.Refused;
        }

        return isEnd ? HeadVerdict.Gone : HeadVerdict.NeedMore;
    }

    /// <summary>Nobody's request, however many lines: Kestrel, which would wait for what follows them for minutes, gets it when there is something to serve.</summary>
    /// <remarks>Looked at from the start each time that something comes. So this is fast, and ends.</remarks>
    private static bool IsEmptyLines(in ReadOnlySequence<byte> head)
    {
        foreach (var segment in head)
        {
            if (segment.Span.ContainsAnyExcept((byte)'\r', (byte)'\n'))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>As new, for another connection.</summary>
    public void Reset()
    {
        _parser = new RequestHeadParser(limits);
        Request.Reset();
        _beginsWithHead = false;
    }
}
