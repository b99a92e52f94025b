using System.Text;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Formats;
using RawPush.Protocol;
using RawPush.Server.Connections;
using RawPush.Server.Requests;

namespace RawPush.Server.Sessions;

/// <summary>A poll: a subscriber that leaves after one delivery. A short one asks and goes; a long one is parked like any other client, under the loop's timers,
/// until there is something to say or its time is up.</summary>
internal sealed class PollSession(SessionServices services, ClientTransport transport, PollPlan plan)
    : ClientSession(services, transport, WireFormat.JsonLine)
{
    private const int BodyBytesMaxNormally = 1024 * 1024;
    private const int BodyBytesMaxWhileShort = 64 * 1024;

    private PooledBuffer _messages;
    private int _heldBytes;
    private List<GapNotice>? _gaps;
    private int _count;

    /// <summary>An answer ends when it is this long, with the message that made it so. The client may take its time for it, and it is ours meanwhile.</summary>
    private int BodyBytesMax => Services.Hub.Budget.IsShort ? BodyBytesMaxWhileShort : BodyBytesMaxNormally;

    private bool IsShort => plan.WaitSeconds == 0;

    private bool HasNews => _count > 0 || _gaps is not null;

    public override void OnPeerClosed() => End(ConnectionEndReason.ClientGone);

    public override void OnClosed()
    {
        _messages.Release();
        Hold(-_heldBytes);
        base.OnClosed();
    }

    protected override void Begin()
    {
        ScheduleTimer(NowMs + (1000L * plan.WaitSeconds));
        DeliverNow();
    }

    protected override int Write(ReadOnlySpan<byte[]> forms)
    {
        int taken = 0;
        while (taken < forms.Length && _count < plan.Limit && _messages.Length < BodyBytesMax)
        {
            if (_count++ > 0)
            {
                _messages.Append(","u8);
            }

            _messages.Append(forms[taken++]);
        }

        return taken;
    }

    protected override bool TakeGap(in GapNotice gap)
    {
        (_gaps ??= []).Add(gap);
        return true;
    }

    protected override void OnDelivered()
    {
        if (HasNews || IsShort)
        {
            End(ConnectionEndReason.Answered);
        }
    }

    // A client has nothing to say while it waits. What it sends all the same – the next request – stays unread, and is not answered here.
    protected override int Receive(Span<byte> bytes)
    {
        Hold(bytes.Length);
        return 0;
    }

    protected override bool TryWritePending() => true;

    protected override long CheckIdle(long nowMs)
    {
        End(ConnectionEndReason.Answered);
        return nowMs;
    }

    protected override void SayGoodbye(ConnectionEndReason reason, string sentence)
    {
        if (reason == ConnectionEndReason.Fault)
        {
            Transport.Abort();
            return;
        }

        var polls = (IPollTransport)Transport;
        bool isLast = reason != ConnectionEndReason.Answered || plan.WantsClose || !polls.CanGoOn;
        var answer = CreateAnswer(isLast);
        _messages.Release();
        Hold(answer.Body.Length);
        polls.Answer(answer);
    }

    /// <summary>Counts what is kept for the client until it is gone.</summary>
    private void Hold(int bytes)
    {
        _heldBytes += bytes;
        Transport.Loop.CountHeldBytes(bytes);
    }

    private PollAnswer CreateAnswer(bool isLast)
    {
        string next = Position.ToString();

        string? tag = IsShort ? CreateTag(next) : null;
        if (tag is not null && HasClient(tag))
        {
            return new PollAnswer(304, Fields(304, next, tag), null, default, isLast);
        }

        if (!HasNews && !IsShort)
        {
            return new PollAnswer(204, Fields(204, next, tag), null, default, isLast);
        }

        byte[] body = CreateBody(next);
        return new PollAnswer(200, Fields(200, next, tag), body.Length, plan.IsHead ? default : body, isLast);
    }

    // RFC 9110 section 13.1.2. There is always an answer, so that "*" has it, too.
    private bool HasClient(string tag) => plan.IfNoneMatch == "*" || plan.IfNoneMatch.Contains(tag, StringComparison.Ordinal);

    private static List<(string Name, string Value)> Fields(int statusCode, string next, string? tag)
    {
        // With a tag a cache may keep it, if it asks each time whether it still holds (RFC 9111 section 5.2.2.4).
        List<(string Name, string Value)> fields = [("RawPush-Next", next), ("Cache-Control", tag is null ? "no-store" : "no-cache")];
        if (statusCode == 200)
        {
            fields.Add(("Content-Type", "application/json"));
        }

        if (tag is not null)
        {
            fields.Add(("ETag", tag));
        }

        return fields;
    }

    // For one address. The end alone does not tell: when a message expires, last= reaches back to an older one.
    private string CreateTag(string next)
    {
        var hash = default(HashCode);
        hash.AddBytes(_messages.Written);
        return $"\"{next}.{hash.ToHashCode():x8}\"";
    }

    private byte[] CreateBody(string next)
    {
        var body = default(PooledBuffer);
        body.Append("{\"messages\":["u8);
        body.Append(_messages.Written);
        body.Append("]"u8);
        if (_gaps is not null)
        {
            body.Append(",\"gaps\":["u8);
            for (int i = 0; i < _gaps.Count; i++)
            {
                body.Append(i > 0 ? ","u8 : default);
                body.Append(_gaps[i].ToJson());
            }

            body.Append("]"u8);
        }

        body.Append(Encoding.ASCII.GetBytes($",\"next\":\"{next}\"}}\n"));
        byte[] bytes = body.Written.ToArray();
        body.Release();
        return bytes;
    }
}
