using System.Net;
using System.Text;
using RawPush.Protocol.Proxy;

namespace RawPush.Protocol.Tests.Proxy;

public class HostAddressTests
{
    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("192.0.2.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("1::")]
    [InlineData("2001:db8::8:800:200c:417a")]
    [InlineData("2001:DB8:0:0:8:800:200C:417A")]
    [InlineData("ff01:0:0:0:0:0:0:101")]
    [InlineData("1:2:3:4:5:6:7::")]
    [InlineData("::2:3:4:5:6:7:8")]
    [InlineData("64:ff9b::192.0.2.33")]
    [InlineData("1:2:3:4:5:6:192.0.2.33")]
    public void Text_means_what_the_base_class_library_takes_it_for(string text)
    {
        Assert.True(HostAddress.TryParse(Encoding.ASCII.GetBytes(text), out var address));
        Assert.Equal(IPAddress.Parse(text), address.ToIPAddress());
        Assert.Equal(address, HostAddress.From(IPAddress.Parse(text)));
        Assert.Equal(!text.Contains(':', StringComparison.Ordinal), address.IsIPv4);
    }

    [Fact]
    public void A_mapped_address_is_the_IPv4_address_that_it_maps()
    {
        Assert.True(HostAddress.TryParse("::ffff:192.0.2.1"u8, out var mapped));
        Assert.True(HostAddress.TryParse("192.0.2.1"u8, out var plain));
        Assert.Equal(plain, mapped);
        Assert.Equal("192.0.2.1", mapped.ToString());
        Assert.Equal(plain, HostAddress.From(IPAddress.Parse("192.0.2.1").MapToIPv6()));
    }

    [Fact]
    public void No_address_is_none() => Assert.Null(HostAddress.From(null));

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("1.2.3")]
    [InlineData("1.2.3.")]
    [InlineData(".1.2.3")]
    [InlineData("1.2.3.4.5")]
    [InlineData("1.2.3.4.")]
    [InlineData("1.2.3.256")]
    [InlineData("1.2.3.04")]
    [InlineData("1.2.3.0x4")]
    [InlineData("1.2.3.4 ")]
    [InlineData("1.2.3.-4")]
    [InlineData(":")]
    [InlineData(":::")]
    [InlineData("1:::2")]
    [InlineData("1::2::3")]
    [InlineData("1:2:3:4:5:6:7")]
    [InlineData("1:2:3:4:5:6:7:8:9")]
    [InlineData("1:2:3:4:5:6:7:8::")]
    [InlineData("::1:2:3:4:5:6:7:8")]
    [InlineData("1:2:3:4::5:6:7:8")]
    [InlineData(":1:2:3:4:5:6:7")]
    [InlineData("1:2:3:4:5:6:7:")]
    [InlineData("12345::")]
    [InlineData("::g")]
    [InlineData("::1.2.3")]
    [InlineData("1.2.3.4::")]
    [InlineData("::1.2.3.4:5")]
    [InlineData("1:2:3:4:5:6:7:1.2.3.4")]
    [InlineData("fe80::1%eth0")]
    [InlineData("[::1]")]
    public void Other_text_is_no_address(string text) => Assert.False(HostAddress.TryParse(Encoding.ASCII.GetBytes(text), out _));
}
