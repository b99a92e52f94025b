using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace RawPush.Fanout.Brokers.Nats;

/// <summary>Finds copies: NATS sends a message once for each subscription that matches it, and patterns overlap with names and with one another.</summary>
/// <remarks>The copies of a message come one behind the other, up to what other publishers put between them; the same bytes by the same subscription are another message. Not safe for threads.</remarks>
internal sealed class CopyFilter
{
    // Far more than come between two copies of a message.
    private const int Remembered = 256;

    private readonly Seen[] _ring = new Seen[Remembered];
    private int _next;

    /// <summary>Whether it has come before, by another subscription.</summary>
    public bool IsCopy(in BusDelivery delivery)
    {
        var digest = Digest.Of(delivery.Bytes);
        for (int i = 1; i <= Remembered; i++)
        {
            ref var seen = ref _ring[(_next - i) & (Remembered - 1)];
            if (seen.Digest == digest && seen.Subject == delivery.Subject && seen.TryAdd(delivery.By!))
            {
                return true;
            }
        }

        _ring[_next++ & (Remembered - 1)] = new Seen(delivery.Subject!, digest, delivery.By!);
        return false;
    }

    // Digests, since 256 messages may be more than memory is set aside for; of a kind that nobody can find two messages for.
    private readonly record struct Digest(UInt128 Low, UInt128 High)
    {
        public static Digest Of(ReadOnlySpan<byte> bytes)
        {
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(bytes, hash);
            return MemoryMarshal.Read<Digest>(hash);
        }
    }

    // Most messages come by one subscription: only a copy needs a set.
    private struct Seen(string subject, Digest digest, object by)
    {
        private HashSet<object>? _others;

        public readonly string? Subject => subject;

        public readonly Digest Digest => digest;

        public bool TryAdd(object other) => other != by && (_others ??= []).Add(other);
    }
}
