using RawPush.Protocol.WebSockets.Deflate;

namespace RawPush.Fuzz.References;

/// <summary>Everything that can be seen of the inflating of a message.</summary>
/// <param name="Status">What was said in the end.</param>
/// <param name="Bytes">What was inflated up to there; of a message that is too big, the first byte too many is the last one.</param>
/// <param name="Reach">How far back its longest distance goes.</param>
internal sealed record InflateOutcome(InflateStatus Status, byte[] Bytes, int Reach);
