using System.Text;
using RawPush.Protocol.WebSockets.Deflate;

namespace RawPush.Protocol.Tests.WebSockets.Deflate;

public sealed class PermessageDeflateTests
{
    private const string Agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    private const string AgreedWindow = Agreed + "; server_max_window_bits=12";

    [Fact]
    public void It_is_available_where_the_tests_run() => Assert.True(PermessageDeflate.IsAvailable);

    [Theory]

    // RFC 7692, section 7.1: each parameter by itself, and the values it may have.
    [InlineData("permessage-deflate", Agreed)]
    [InlineData("Permessage-Deflate", Agreed)]
    [InlineData("permessage-deflate; server_no_context_takeover", Agreed)]
    [InlineData("permessage-deflate; client_no_context_takeover", Agreed)]
    [InlineData("permessage-deflate;client_max_window_bits;server_no_context_takeover;client_no_context_takeover", Agreed)]
    [InlineData("permessage-deflate; client_max_window_bits", Agreed)]
    [InlineData("permessage-deflate; client_max_window_bits=8", Agreed)]
    [InlineData("permessage-deflate; client_max_window_bits=15", Agreed)]
    [InlineData("permessage-deflate; client_max_window_bits=\"10\"", Agreed)]
    [InlineData("permessage-deflate; server_max_window_bits=12", AgreedWindow)]
    [InlineData("permessage-deflate; server_max_window_bits=15", AgreedWindow)]
    [InlineData("permessage-deflate ; server_max_window_bits = \"13\" ; client_max_window_bits", AgreedWindow)]

    // Section 7.1: unknown, repeated and impossible parameters make an offer unacceptable.
    [InlineData("permessage-deflate; x", null)]
    [InlineData("permessage-deflate; Server_no_context_takeover", null)]
    [InlineData("permessage-deflate; server_no_context_takeover; server_no_context_takeover", null)]
    [InlineData("permessage-deflate; client_no_context_takeover; client_no_context_takeover", null)]
    [InlineData("permessage-deflate; client_max_window_bits; client_max_window_bits", null)]
    [InlineData("permessage-deflate; server_max_window_bits=12; server_max_window_bits=12", null)]
    [InlineData("permessage-deflate; server_no_context_takeover=1", null)]
    [InlineData("permessage-deflate; client_no_context_takeover=\"true\"", null)]
    [InlineData("permessage-deflate; server_max_window_bits", null)]
    [InlineData("permessage-deflate; server_max_window_bits=7", null)]
    [InlineData("permessage-deflate; server_max_window_bits=16", null)]
    [InlineData("permessage-deflate; server_max_window_bits=012", null)]
    [InlineData("permessage-deflate; server_max_window_bits=+12", null)]
    [InlineData("permessage-deflate; server_max_window_bits=12x", null)]
    [InlineData("permessage-deflate; server_max_window_bits=268", null)]
    [InlineData("permessage-deflate; server_max_window_bits=\"1\\2\"", null)]
    [InlineData("permessage-deflate; client_max_window_bits=7", null)]
    [InlineData("permessage-deflate; client_max_window_bits=16", null)]
    [InlineData("permessage-deflate; client_max_window_bits=08", null)]

    // Windows shorter than that of the form which all clients share.
    [InlineData("permessage-deflate; server_max_window_bits=8", null)]
    [InlineData("permessage-deflate; server_max_window_bits=11", null)]

    // Section 5.1: in the order of preference, the first that can be accepted.
    [InlineData("permessage-deflate; server_max_window_bits=9, permessage-deflate", Agreed)]
    [InlineData("permessage-deflate; x, permessage-deflate; server_max_window_bits=14, permessage-deflate", AgreedWindow)]
    [InlineData("permessage-deflate, permessage-deflate; server_max_window_bits=14", Agreed)]
    [InlineData("x-webkit-deflate-frame, permessage-bzip2; level=9, permessage-deflate", Agreed)]
    [InlineData("mux; max-channels=4; flow-control, other", null)]
    [InlineData(", ,permessage-deflate,,", Agreed)]
    [InlineData("", null)]
    public void The_first_offer_that_can_be_accepted_is_answered(string offered, string? response)
    {
        Assert.True(PermessageDeflate.TryChoose(Encoding.Latin1.GetBytes(offered), out string? chosen));
        Assert.Equal(response, chosen);
    }

    [Theory]
    [InlineData("permessage-deflate;")]
    [InlineData("permessage-deflate; ;client_max_window_bits")]
    [InlineData("; client_max_window_bits")]
    [InlineData("permessage-deflate client_max_window_bits")]
    [InlineData("permessage-deflate; client_max_window_bits=")]
    [InlineData("permessage-deflate; client_max_window_bits=,")]
    [InlineData("permessage-deflate; =8")]
    [InlineData("permessage-deflate; client_max_window_bits=\"")]
    [InlineData("permessage-deflate; client_max_window_bits=\"8")]
    [InlineData("permessage-deflate; client_max_window_bits=\"\"")]
    [InlineData("permessage-deflate; client_max_window_bits=\"8 \"")]
    [InlineData("permessage-deflate; client_max_window_bits=\"8\"9")]
    [InlineData("permessage-deflate; client_max_window_bits=\"8\\")]
    [InlineData("permessage(deflate)")]
    [InlineData("permessage-deflate; client_max_window_bits=8=8")]
    [InlineData("permessage-deflate, x y")]
    [InlineData("\"permessage-deflate\"")]
    [InlineData("permessage-d\u00e9flate")]
    public void A_list_that_is_none_is_refused_whole(string offered)
    {
        Assert.False(PermessageDeflate.TryChoose(Encoding.Latin1.GetBytes(offered), out string? chosen));
        Assert.Null(chosen);
    }
}
