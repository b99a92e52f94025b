using System.Globalization;
using System.Text;
using RawPush.Protocol.Http;
using RawPush.Server.Connections;

namespace RawPush.Server.Requests;

/// <summary>A request that is not served: the status, one line of plain text that says why, and at most one field that the status asks for.</summary>
/// <param name="StatusCode">One that <see cref="ResponseHeadWriter"/> knows.</param>
/// <param name="Reason">For the client. One line.</param>
/// <param name="FieldName">A further response field; null for none.</param>
/// <param name="FieldValue">Its value.</param>
internal sealed record Refusal(int StatusCode, string Reason, string? FieldName = null, string? FieldValue = null)
{
    public static readonly Refusal NotFound = new(404, "there is nothing at this address; channels are at /channels/NAME");

    public static readonly Refusal BadTarget = new(400, "the request target is malformed");

    public static readonly Refusal HeadTooLate = new(408, "the request head did not arrive in time");

    public static readonly Refusal BadProxyHeader = new(400, "a proxy begins this connection with a PROXY protocol header") { LeavesBytes = true };

    public static readonly Refusal Draining = new(503, "the server is going away", "Retry-After", "1");

    public static readonly Refusal TooManyConnections = new(503, "the server has as many connections as it may have", "Retry-After", "5") { Limit = AdmissionLimit.Connections };

    public static readonly Refusal TooManyChannels = new(503, "the server has as many channels as it may have", "Retry-After", "5") { Limit = AdmissionLimit.Channels };

    public static readonly Refusal NoBus = new(503, "the server is cut off from the others at the moment", "Retry-After", "2");

    public static readonly Refusal TooManyOfAddress =
        new(503, "your address has as many connections as it may have", "Retry-After", "5") { Limit = AdmissionLimit.AddressConnections };

    // A storm that is sent away must not come back in the same second.
    private const int RetryAfterMin = 5;
    private const int RetryAfterMax = 30;

    /// <summary>The request has, or may have, bytes that were not read: a body, or what stands behind a head that makes no sense.</summary>
    public bool LeavesBytes { get; init; }

    /// <summary>The answer must name what to upgrade to, and to its neighbour alone (RFC 9110 sections 15.5.22 and 7.8).</summary>
    public bool AsksForUpgrade => StatusCode == 426;

    /// <summary>The value of <c>Connection</c> in HTTP/1.</summary>
    public string ConnectionOptions => AsksForUpgrade ? "close, Upgrade" : "close";

    /// <summary>The limit that was reached, if it was one.</summary>
    public AdmissionLimit Limit { get; init; }

    /// <summary>For a client that comes while too many come: when to try again is drawn by lot.</summary>
    public static Refusal TooFast(AdmissionLimit limit)
    {
        string reason = limit == AdmissionLimit.AddressHandshakes ? "your address connects more often than it may" : "too many clients connect at the moment";
        int seconds = Random.Shared.Next(RetryAfterMin, RetryAfterMax + 1);
        return new Refusal(503, reason, "Retry-After", seconds.ToString(CultureInfo.InvariantCulture)) { Limit = limit };
    }

    /// <summary>The whole answer, head and body. The connection closes behind it.</summary>
    /// <param name="date">The time of day, as a field value.</param>
    /// <param name="isHead">The request's method is HEAD: the answer has no body (RFC 9110 section 9.3.2).</param>
    public byte[] ToResponse(ReadOnlySpan<byte> date, bool isHead)
    {
        byte[] body = Encoding.UTF8.GetBytes(Reason + "\n");
        byte[] response = new byte[512 + body.Length];
        var head = new ResponseHeadWriter(response, StatusCode);
        head.Field("Date"u8, date);
        head.Field("Content-Type"u8, "text/plain; charset=utf-8"u8);
        head.Field("Content-Length"u8, body.Length);
        head.Field("Connection"u8, Encoding.ASCII.GetBytes(ConnectionOptions));
        if (AsksForUpgrade)
        {
            head.Field("Upgrade"u8, "websocket"u8);
        }

        if (FieldName is not null)
        {
            head.Field(Encoding.ASCII.GetBytes(FieldName), Encoding.ASCII.GetBytes(FieldValue!));
        }

        int length = head.End();
        body.CopyTo(response, length);
        return response[..(isHead ? length : length + body.Length)];
    }
}
