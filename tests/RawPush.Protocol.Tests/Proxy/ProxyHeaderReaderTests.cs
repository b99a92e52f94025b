using System.Text;
using RawPush.Protocol.Proxy;

namespace RawPush.Protocol.Tests.Proxy;

public class ProxyHeaderReaderTests
{
    private const string Signature = "0D0A0D0A000D0A515549540A";
    private const string IPv4 = "C0000201" + "C6336402" + "DC04" + "01BB";
    private const string IPv6 = "20010DB8000000000000000000000001" + "20010DB8000000000000000000000002" + "DC04" + "01BB";
    private const string LongestLine = "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";

    /// <summary>The wire, as text or as hexadecimal digits; the source, null for none.</summary>
    public static TheoryData<string, string?, int> Headers => new()
    {
        { "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", "192.0.2.1", 56324 },
        { "PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0", 0 },
        { "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255", 65535 },
        { "PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n", "2001:db8::1", 56324 },
        { "PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", "192.0.2.1", 1 },
        { LongestLine, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535 },
        { "PROXY UNKNOWN\r\n", null, 0 },
        { "PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", null, 0 },
        { "PROXY UNKNOWN " + new string('x', 107 - 16) + "\r\n", null, 0 },
        { Signature + "2111000C" + IPv4, "192.0.2.1", 56324 },
        { Signature + "21210024" + IPv6, "2001:db8::1", 56324 },
        { Signature + "20000000", null, 0 },
        { Signature + "2011000C" + IPv4, null, 0 },
        { Signature + "20FF0003" + "000000", null, 0 },
        { Signature + "21000000", null, 0 },
        { Signature + "21000005" + "0100020000", null, 0 },
        { Signature + "2112000C" + IPv4, null, 0 },
        { Signature + "21220024" + IPv6, null, 0 },
        { Signature + "213100D8" + new string('0', 432), null, 0 },
        { Signature + "213200D8" + new string('0', 432), null, 0 },
        { Signature + "21110012" + IPv4 + "040003AABBCC", "192.0.2.1", 56324 },
        { Signature + "21111000" + IPv4 + new string('0', 2 * (4096 - 12)), "192.0.2.1", 56324 },
    };

    /// <summary>The wire, and how many bytes of it prove that it is no header.</summary>
    public static TheoryData<string, int> Violations => new()
    {
        { "GET / HTTP/1.1\r\n", 1 },
        { "PRI * HTTP/2.0\r\n", 3 },
        { "proxy TCP4 ", 1 },
        { "PROXY  TCP4 ", 7 },
        { "PROXY UDP4 ", 8 },
        { "PROXY TCP5 ", 10 },
        { "PROXY TCP44", 11 },
        { "PROXY UNKNOWNS\r\n", 14 },
        { "PROXY UNKNOWN\n", 14 },
        { "PROXY UNKNOWN a\nb", 16 },
        { "PROXY UNKNOWN\rx", 15 },
        { "PROXY UNKNOWN " + new string('x', 107 - 16) + "x\r\n", 107 },
        { "PROXY TCP4 x", 12 },
        { "PROXY TCP4 1:2", 13 },
        { "PROXY TCP4  1.2.3.4", 12 },
        { "PROXY TCP4 1.2.3 ", 17 },
        { "PROXY TCP4 1.2.3.256 ", 21 },
        { "PROXY TCP4 1.2.3.04 ", 20 },
        { "PROXY TCP4 1.2.3.4 1.2.3 ", 25 },
        { "PROXY TCP4 1.2.3.4 1.2.3.4 x", 28 },
        { "PROXY TCP4 1.2.3.4 1.2.3.4 65536 ", 33 },
        { "PROXY TCP4 1.2.3.4 1.2.3.4 01 ", 30 },
        { "PROXY TCP4 1.2.3.4 1.2.3.4  ", 28 },
        { "PROXY TCP4 1.2.3.4 1.2.3.4 123456", 33 },
        { "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 ", 31 },
        { "PROXY TCP4 1.2.3.4 1.2.3.4 1 \r", 30 },
        { "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", 31 },
        { "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rx", 32 },
        { "PROXY TCP4 1.2.3.4\r\n", 19 },
        { "PROXY TCP4 1234567890.12345", 27 },
        { "PROXY TCP6 1.2.3.4 ", 19 },
        { "PROXY TCP6 ::g", 14 },
        { "PROXY TCP6 1::2::3 ", 19 },
        { "PROXY TCP6 " + new string('1', 46), 57 },
        { "PROXY TCP6 1111:1111:1111:1111:1111:1111:255.255.255.255 1111:1111:1111:1111:1111:1111:255.255.255.255 65535 65535\r\n", 107 },
        { "0D0A0D0A000D0A515549540B", 12 },
        { "0D0A0D0B", 4 },
        { Signature + "11", 13 },
        { Signature + "31", 13 },
        { Signature + "22", 13 },
        { Signature + "2FFF", 13 },
        { Signature + "2101", 14 },
        { Signature + "2110", 14 },
        { Signature + "2113", 14 },
        { Signature + "2141", 14 },
        { Signature + "211111", 15 },
        { Signature + "21111001", 16 },
        { Signature + "20001001", 16 },
        { Signature + "2111000B" + IPv4, 16 },
        { Signature + "2112000B" + IPv4, 16 },
        { Signature + "21210023" + IPv6, 16 },
        { Signature + "213100D7" + IPv6, 16 },
    };

    [Theory]
    [MemberData(nameof(Headers))]
    public void A_header_is_done_with_its_last_byte_and_not_before(string text, string? source, int port)
    {
        byte[] wire = ToWire(text);
        for (int cut = 0; cut < wire.Length; cut++)
        {
            Assert.Equal(ReadStatus.NeedMore, ProxyHeaderReader.TryRead(wire.AsSpan(0, cut), out var none));
            Assert.Equal(default, none);
        }

        foreach (byte[] behind in (byte[][])[[], [(byte)'G'], [0x0D], wire])
        {
            Assert.Equal(ReadStatus.Done, ProxyHeaderReader.TryRead([.. wire, .. behind], out var header));
            Assert.Equal(wire.Length, header.Length);
            Assert.Equal(source, header.Source?.ToString());
            Assert.Equal(port, header.SourcePort);
        }
    }

    [Theory]
    [MemberData(nameof(Violations))]
    public void What_is_no_header_is_told_with_the_byte_that_proves_it(string text, int toldAt)
    {
        byte[] wire = ToWire(text);
        for (int length = 0; length <= wire.Length; length++)
        {
            Assert.Equal(length < toldAt ? ReadStatus.NeedMore : ReadStatus.Violation, ProxyHeaderReader.TryRead(wire.AsSpan(0, length), out var header));
            Assert.Equal(default, header);
        }
    }

    [Fact]
    public void The_first_byte_is_that_of_a_header_or_none()
    {
        for (int first = 0; first < 256; first++)
        {
            var expected = first is 'P' or 0x0D ? ReadStatus.NeedMore : ReadStatus.Violation;
            Assert.Equal(expected, ProxyHeaderReader.TryRead([(byte)first], out _));
        }
    }

    [Fact]
    public void No_header_is_longer_than_is_said() =>
        Assert.Equal(ProxyHeaderReader.BytesMax, Headers.Max(row => ToWire(row.Data.Item1).Length));

    [Fact]
    public void Reading_allocates_nothing()
    {
        byte[][] wires = [.. Headers.Select(row => ToWire(row.Data.Item1))];
        int done = 0;
        long before = 0;
        for (int i = 0; i < 200; i++)
        {
            // The first rounds pay for what is made once.
            before = i == 100 ? GC.GetAllocatedBytesForCurrentThread() : before;
            foreach (byte[] wire in wires)
            {
                done += ProxyHeaderReader.TryRead(wire, out _) == ReadStatus.Done ? 1 : 0;
            }
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(200 * wires.Length, done);
    }

    private static byte[] ToWire(string text) =>
        text.StartsWith("0D0A", StringComparison.Ordinal) ? Convert.FromHexString(text) : Encoding.ASCII.GetBytes(text);
}
