using RawPush.Fanout.Channels;
using RawPush.Server.Connections;
using RawPush.Server.Requests;

namespace RawPush.Server.Sessions;

/// <summary>HEAD on the address of a stream: it joins as GET would, so that its head says the same, and leaves.</summary>
internal sealed class HeadSession(SessionServices services, ClientTransport transport, PushPlan plan)
    : ClientSession(services, transport, plan.Format)
{
    public override void OnPeerClosed() => End(ConnectionEndReason.ClientGone);

    protected override void Begin() => End(ConnectionEndReason.Answered);

    // Nothing is delivered: it ends in the piece of work in which it began.
    protected override int Write(ReadOnlySpan<byte[]> forms) => 0;

    protected override bool TakeGap(in GapNotice gap) => false;

    protected override int Receive(Span<byte> bytes) => 0;

    protected override bool TryWritePending() => true;

    protected override long CheckIdle(long nowMs) => nowMs;

    protected override void SayGoodbye(ConnectionEndReason reason, string sentence)
    {
        if (reason == ConnectionEndReason.Fault)
        {
            Transport.Abort();
            return;
        }

        var polls = (IPollTransport)Transport;
        bool isLast = reason != ConnectionEndReason.Answered || plan.Head!.WantsClose || !polls.CanGoOn;
        polls.Answer(new PollAnswer(200, [.. plan.Fields(PositionOf(plan))], null, default, isLast));
    }
}
