using RawPush.Protocol;
using RawPush.Protocol.Proxy;

namespace RawPush.Fuzz.References;

/// <summary>What a connection begins with.</summary>
/// <param name="Status">What is said of all bytes.</param>
/// <param name="DecidedAt">How many bytes it takes to say so; fewer are too few. More than there are while it is undecided.</param>
/// <param name="Header">The header, if it is one.</param>
internal sealed record ProxyHeaderOutcome(ReadStatus Status, int DecidedAt, ProxyHeader Header)
{
    public static ProxyHeaderOutcome Violation(int at) => new(ReadStatus.Violation, at, default);

    public static ProxyHeaderOutcome Done(ProxyHeader header) => new(ReadStatus.Done, header.Length, header);

    /// <summary>Undecided.</summary>
    public static ProxyHeaderOutcome NeedMore { get; } = new(ReadStatus.NeedMore, int.MaxValue, default);
}
