using System.Text;
using RawPush.Protocol.WebSockets;

namespace RawPush.Protocol.Tests.WebSockets;

public class WebSocketHandshakeTests
{
    private static readonly string[] Supported = ["rawpush.v2", "rawpush.v1", "chat"];

    [Theory]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")]   // RFC 6455, section 1.3
    [InlineData("x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk=")]
    public void The_accept_value_answers_the_key(string key, string expected)
    {
        Assert.True(WebSocketHandshake.IsValidKey(Encoding.ASCII.GetBytes(key)));
        Span<byte> accept = stackalloc byte[WebSocketHandshake.AcceptLength];
        WebSocketHandshake.ComputeAccept(Encoding.ASCII.GetBytes(key), accept);
        Assert.Equal(expected, Encoding.ASCII.GetString(accept));
    }

    [Fact]
    public void A_key_or_a_destination_of_the_wrong_length_is_refused()
    {
        Assert.Throws<ArgumentException>(() => WebSocketHandshake.ComputeAccept(new byte[23], new byte[28]));
        Assert.Throws<ArgumentException>(() => WebSocketHandshake.ComputeAccept(new byte[24], new byte[27]));
    }

    [Fact]
    public void Whatever_sixteen_bytes_encode_to_is_a_valid_key()
    {
        var random = new Random(6455);
        byte[] nonce = new byte[16];
        for (int i = 0; i < 1000; i++)
        {
            random.NextBytes(nonce);
            Assert.True(WebSocketHandshake.IsValidKey(Encoding.ASCII.GetBytes(Convert.ToBase64String(nonce))));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ=")]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ")]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ===")]
    [InlineData("dGhlIHNhbXBsZSBub25jZSE=")]      // seventeen bytes
    [InlineData("dGhlIHNhbXBsZSBub25jZSEh")]      // eighteen bytes
    [InlineData("dGhlIHNhbXBsZSBub25j  ==")]
    [InlineData("dGhlIHNhbXBsZSBub2   Q==")]
    [InlineData("dGhlIHNhbXBsZSBub25jZ_==")]
    [InlineData("dGhlIHNhbXBsZSBub25jZR==")]      // bits beyond the sixteenth byte
    [InlineData("========================")]
    public void A_key_that_is_not_sixteen_bytes_in_canonical_base64_is_refused(string key) =>
        Assert.False(WebSocketHandshake.IsValidKey(Encoding.ASCII.GetBytes(key)));

    [Theory]
    [InlineData("chat", "chat")]
    [InlineData("rawpush.v1, rawpush.v2", "rawpush.v1")]           // the client's preference, not ours
    [InlineData("rawpush.v2, rawpush.v1", "rawpush.v2")]
    [InlineData("unknown,chat", "chat")]
    [InlineData(" \tchat\t , other", "chat")]
    [InlineData(",, chat,,", "chat")]
    [InlineData("unknown", null)]
    [InlineData("Chat", null)]
    [InlineData("chatter, cha", null)]
    [InlineData("", null)]
    [InlineData(" , ,", null)]
    public void The_first_name_that_both_know_is_chosen(string offered, string? expected)
    {
        Assert.True(WebSocketHandshake.TryChooseSubprotocol(Encoding.ASCII.GetBytes(offered), Supported, out string? chosen));
        Assert.Equal(expected, chosen);
    }

    [Theory]
    [InlineData("chat, chat")]
    [InlineData("a, b, a")]
    [InlineData("chat, two words")]
    [InlineData("chat, a\tb")]
    [InlineData("chat, a/b")]
    [InlineData("chat, \"quoted\"")]
    [InlineData("chat, caf\u00e9")]
    [InlineData("chat; q=1")]
    public void A_malformed_list_chooses_nothing_even_when_it_began_well(string offered)
    {
        Assert.False(WebSocketHandshake.TryChooseSubprotocol(Encoding.Latin1.GetBytes(offered), Supported, out string? chosen));
        Assert.Null(chosen);
    }

    [Fact]
    public void Thirty_two_names_are_read_and_one_more_is_refused()
    {
        string names = string.Join(',', Enumerable.Range(0, 31)) + ",chat";
        Assert.True(WebSocketHandshake.TryChooseSubprotocol(Encoding.ASCII.GetBytes(names), Supported, out string? chosen));
        Assert.Equal("chat", chosen);
        Assert.True(WebSocketHandshake.TryChooseSubprotocol(Encoding.ASCII.GetBytes(names + ",,"), Supported, out _));
        Assert.False(WebSocketHandshake.TryChooseSubprotocol(Encoding.ASCII.GetBytes(names + ",more"), Supported, out _));
    }
}
