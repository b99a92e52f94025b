using RawPush.Protocol.WebSockets;

namespace RawPush.Protocol.Tests.WebSockets;

/// <summary>The ways in which a test gives one piece of wire to a reader. Each works on a copy, since reading unmasks in place.</summary>
internal static class Reading
{
    public const int LimitBytes = 1 << 20;

    /// <summary>Reads the parts one after the other and returns the transcript; the last line is the final status.</summary>
    public static List<string> Parts(params ReadOnlySpan<byte[]> parts)
    {
        var reader = new MessageReader(LimitBytes);
        var transcript = new Transcript(stopsEachTime: false);
        var status = MessageReadStatus.Consumed;
        foreach (var part in parts)
        {
            status = reader.Read(part.ToArray().AsSpan(), ref transcript, out int consumed);
            if (status != MessageReadStatus.Consumed)
            {
                break;
            }

            Assert.Equal(part.Length, consumed);
        }

        transcript.Lines.Add(Describe(status, ref reader));
        AssertKeepsNothing(ref reader);
        return transcript.Lines;
    }

    public static List<string> CutAt(byte[] wire, int cut) => Parts(wire[..cut], wire[cut..]);

    public static List<string> ByteByByte(byte[] wire) => Parts([.. wire.Select(one => new[] { one })]);

    /// <summary>Every offset of a short wire. Of a long one those around both ends, and a few hundred between: all of 65,536 would take minutes.</summary>
    public static IEnumerable<int> Cuts(byte[] wire)
    {
        for (int cut = 0; cut <= wire.Length; cut++)
        {
            yield return cut;
            if (wire.Length > 1000 && cut >= 64 && cut < wire.Length - 64)
            {
                cut += 252;
            }
        }
    }

    private static string Describe(MessageReadStatus status, ref MessageReader reader) => status == MessageReadStatus.Violation
        ? $"Violation {(int)reader.ViolationStatus}: {reader.ViolationReason}"
        : status.ToString();

    private static void AssertKeepsNothing(ref MessageReader reader)
    {
        reader.Release();
        reader.Release();
        Assert.Equal(0, reader.BufferedBytes);
        Assert.True(reader.IsIdle);
    }
}
