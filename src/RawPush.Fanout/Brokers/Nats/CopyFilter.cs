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
        // Digests, since 256 messages may be more than memory is set aside for.
        string digest = Convert.ToHexString(SHA256.HashData(delivery.Bytes.AsSpan()));
        for (int i = 1; i <= Remembered; i++)
        {
            var seen = _ring[(_next - i) & (Remembered - 1)];
            if (seen.By is not null && seen.Subject == delivery.Subject && seen.Digest == digest && seen.By.Add(delivery.By!))
            {
                return true;
            }
        }

        _ring[_next++ & (Remembered - 1)] = new Seen(delivery.Subject!, digest, [delivery.By!]);
        return false;
    }

    private readonly record struct Seen(string Subject, string Digest, HashSet<object>? By);
}
