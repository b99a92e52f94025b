using System.Text;
using RawPush.Protocol.Proxy;

namespace RawPush.Protocol.Tests.Proxy;

public class ForwardedReaderTests
{
    /// <summary>A list, and its addresses from the last one on, up to the first that is none.</summary>
    public static TheoryData<string, string> ForwardedLists => new()
    {
        { "for=192.0.2.1", "192.0.2.1" },
        { "For=\"192.0.2.1\"", "192.0.2.1" },
        { "FOR=\"192.0.2.1:4711\"", "192.0.2.1" },
        { "for=192.0.2.1:4711", "192.0.2.1" },
        { "for=\"192.0.2.1:_port\"", "192.0.2.1" },
        { "for=\"[2001:db8::1]\"", "2001:db8::1" },
        { "for=\"[2001:db8::1]:4711\"", "2001:db8::1" },
        { "for=\"[2001:db8::1]:_a.b-c\"", "2001:db8::1" },
        { "proto=https;for=192.0.2.1;by=203.0.113.43", "192.0.2.1" },
        { "by=\"a;for=1.1.1.1\";for=192.0.2.1", "192.0.2.1" },
        { "host=\"a\\\"b;,\";for=192.0.2.1", "192.0.2.1" },
        { "for=192.0.2.1, for=192.0.2.2", "192.0.2.2 192.0.2.1" },
        { "for=192.0.2.1,for=192.0.2.2 ,\tfor=\"[::1]\"", "::1 192.0.2.2 192.0.2.1" },
        { ", ,for=192.0.2.1, ,", "192.0.2.1" },

        // Whoever made up the left part has no say in how the right one is read.
        { "for=\", for=192.0.2.2", "192.0.2.2" },
        { "for=\"\\\", for=192.0.2.2", "192.0.2.2" },
        { "\"\"\", for=192.0.2.2", "192.0.2.2" },
        { "nonsense, for=192.0.2.2", "192.0.2.2" },
        { "for=192.0.2.1, for=unknown, for=192.0.2.2", "192.0.2.2" },
        { "for=192.0.2.1, for=_hidden, for=192.0.2.2", "192.0.2.2" },
        { "for=192.0.2.1, proto=http, for=192.0.2.2", "192.0.2.2" },

        { "", "" },
        { ",", "" },
        { "for", "" },
        { "for=", "" },
        { "for=\"", "" },
        { "for=\"\"", "" },
        { "for=unknown", "" },
        { "for=_hidden", "" },
        { "for=\"unknown:80\"", "" },
        { "fore=192.0.2.1", "" },
        { "proto=http", "" },
        { "for=192.0.2.1;for=192.0.2.2", "" },
        { "for=192.0.2.1;for=unknown", "" },
        { "for=192.0.2.256", "" },
        { "for=192.0.2.1:", "" },
        { "for=192.0.2.1:123456", "" },
        { "for=192.0.2.1:8o", "" },
        { "for=192.0.2.1:_", "" },
        { "for=192.0.2.1:_a b", "" },
        { "for=\"192.0.2.1", "" },
        { "for=192.0.2.1\"", "" },
        { "for=\"[::1\"", "" },
        { "for=\"[]\"", "" },
        { "for=\"[192.0.2.1]\"", "" },
        { "for=\"[::1]x\"", "" },
        { "for=\"[::1]:\"", "" },
        { "for = 192.0.2.1", "" },
        { "192.0.2.1", "" },
    };

    public static TheoryData<string, string> ForwardedForLists => new()
    {
        { "192.0.2.1", "192.0.2.1" },
        { "192.0.2.1:4711", "192.0.2.1" },
        { "2001:db8::1", "2001:db8::1" },
        { "[2001:db8::1]", "2001:db8::1" },
        { "[2001:db8::1]:4711", "2001:db8::1" },
        { "\"[2001:db8::1]:4711\"", "2001:db8::1" },
        { "192.0.2.1, 192.0.2.2,192.0.2.3", "192.0.2.3 192.0.2.2 192.0.2.1" },
        { "\", 192.0.2.2", "192.0.2.2" },
        { "192.0.2.1, unknown, 192.0.2.2", "192.0.2.2" },
        { "192.0.2.1, , 192.0.2.2,", "192.0.2.2 192.0.2.1" },
        { "", "" },
        { "unknown", "" },
        { "for=192.0.2.1", "" },
        { "192.0.2.1 192.0.2.2", "" },
        { "192.0.2.1:", "" },
        { "[::1]x", "" },
        { "::1:", "" },
    };

    private delegate bool Taking(ref ReadOnlySpan<byte> list, out HostAddress address);

    [Theory]
    [MemberData(nameof(ForwardedLists))]
    public void Forwarded_is_read_from_its_end_up_to_what_is_no_address(string list, string expected) =>
        Assert.Equal(expected, ReadAll(list, ForwardedReader.TryTakeForwarded));

    [Theory]
    [MemberData(nameof(ForwardedForLists))]
    public void XForwardedFor_is_read_from_its_end_up_to_what_is_no_address(string list, string expected) =>
        Assert.Equal(expected, ReadAll(list, ForwardedReader.TryTakeForwardedFor));

    [Fact]
    public void Nothing_a_client_puts_before_what_its_proxy_appends_changes_that()
    {
        byte[] alphabet = Encoding.ASCII.GetBytes("\"\\,;=[]:.f1 ");
        var random = new Random(7239);
        for (int i = 0; i < 100_000; i++)
        {
            byte[] invented = random.GetItems(alphabet, random.Next(12));
            ReadOnlySpan<byte> list = [.. invented, .. ", for=\"[2001:db8::1]:80\";proto=http"u8];
            Assert.True(ForwardedReader.TryTakeForwarded(ref list, out var address));
            Assert.Equal("2001:db8::1", address.ToString());
            Assert.True(list.SequenceEqual(invented));
        }
    }

    private static string ReadAll(string text, Taking take)
    {
        var found = new List<string>();
        ReadOnlySpan<byte> list = Encoding.Latin1.GetBytes(text);
        while (take(ref list, out var address))
        {
            found.Add(address.ToString());
        }

        return string.Join(' ', found);
    }
}
