namespace RawPush.Swarm.Hostile;

/// <summary>One way to behave badly.</summary>
/// <param name="Name">What it is counted under.</param>
/// <param name="Script">What a peer does, step by step. At the script's end it stays and reads until the server ends it or its time is over.</param>
/// <param name="IsForServerToEnd">Whether a server must put an end to it sooner or later. Otherwise it is legal, or ends by itself.</param>
internal sealed record Misbehaviour(string Name, Func<HostilePeer, IEnumerable<Act>> Script, bool IsForServerToEnd = true)
{
    public static readonly Misbehaviour[] All =
    [
        new("slow head", Heads.Slow),
        new("endless head", Heads.Endless),
        new("garbage", Heads.Garbage),
        new("empty lines", Heads.EmptyLines),
        new("body on a subscription", Heads.WithBody),
        new("smuggling", Heads.Smuggling),
        new("silence", static _ => []),
        new("deaf websocket", Mutes.DeafWebSocket),
        new("deaf event stream", Mutes.DeafEventStream),
        new("half a frame", Mutes.HalfAFrame),
        new("connect and reset", Leavers.Reset, IsForServerToEnd: false),
        new("cut in a frame", Leavers.CutInAFrame, IsForServerToEnd: false),
        new("ping flood", Floods.Pings, IsForServerToEnd: false),
        new("fragment flood", Floods.Fragments),
        new("unmasked frame", Violations.Unmasked),
        new("reserved bit or opcode", Violations.Reserved),
        new("not utf-8", Violations.NotUtf8),
        new("oversized length", Violations.Oversized),
        new("bad close", Violations.BadClose),
        new("corrupt deflate", Deflated.Corrupt),
        new("decompression bomb", Deflated.Bomb),
    ];
}
