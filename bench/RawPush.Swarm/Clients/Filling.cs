using System.Globalization;
using System.Text;

namespace RawPush.Swarm.Clients;

/// <summary>What stands behind the header of a message: the same for whoever knows the header, so that a receiver can check every byte of it.</summary>
/// <remarks>A piece of one long text that is made at the start. Safe for threads once it is made.</remarks>
internal sealed class Filling
{
    /// <summary>The names of <see cref="Of"/>.</summary>
    public static readonly string[] Names = ["x", "json"];

    // Where pieces begin. Far more than a message has, so that neighbours are as different as messages are.
    private const int Beginnings = 1021;

    private readonly byte[] _text;
    private readonly int[] _starts;

    private Filling(byte[] text, int[] starts)
    {
        _text = text;
        _starts = starts;
    }

    /// <summary>One letter over and over, which says nothing of compression; or records such as a market sends, whose names repeat and whose numbers do not.</summary>
    /// <param name="name">x or json.</param>
    /// <param name="bytesMax">The longest piece that is wanted.</param>
    public static Filling Of(string name, int bytesMax) => name switch
    {
        "x" => new Filling(Encoding.ASCII.GetBytes(new string('x', bytesMax)), [0]),
        "json" => OfRecords(bytesMax),
        _ => throw new ArgumentException($"'{name}' is no payload; there are {string.Join(" and ", Names)}"),
    };

    /// <summary>What stands behind this header.</summary>
    public ReadOnlySpan<byte> Behind(in Payload payload, int length)
    {
        // Two primes: messages that follow each other, and those of neighbouring channels, begin at different places.
        uint start = (payload.Number * 31) + ((uint)payload.Channel * 101);
        return _text.AsSpan(_starts[start % (uint)_starts.Length], length);
    }

    private static Filling OfRecords(int bytesMax)
    {
        // The same everywhere: workers and publishers are different processes.
        var random = new Random(1);
        var text = new StringBuilder();
        var starts = new List<int>();
        while (starts.Count < Beginnings || text.Length < starts[^1] + bytesMax)
        {
            if (starts.Count < Beginnings)
            {
                starts.Add(text.Length);
            }

            AppendRecord(text, random);
        }

        return new Filling(Encoding.ASCII.GetBytes(text.ToString()), [.. starts]);
    }

    private static void AppendRecord(StringBuilder text, Random random)
    {
        string[] symbols = ["ACME", "GLOBEX", "INITECH", "HOOLI", "UMBRELLA", "STARK", "WAYNE", "TYRELL"];
        string[] venues = ["XNAS", "XNYS", "XLON", "XETR"];
        double bid = random.Next(1_000, 90_000) / 100.0;
        text.Append(
            CultureInfo.InvariantCulture,
            $$"""{"symbol":"{{symbols[random.Next(symbols.Length)]}}","venue":"{{venues[random.Next(venues.Length)]}}","bid":{{bid:F2}},"ask":{{bid + 0.02:F2}},"size":{{100 * random.Next(1, 90)}},"time":17{{random.NextInt64(100_000_000_00, 999_999_999_99)}}},""");
    }
}
