using System.Text;
using RawPush.Swarm.Dialects;

namespace RawPush.Swarm.Resuming;

/// <summary>The requests of clients that know where they were.</summary>
internal static class ResumeRequest
{
    /// <summary>Messages in one answer to a poll, at most.</summary>
    public const int PollMessagesMax = 100;

    private const int LongPollSeconds = 20;

    /// <summary>Makes the request.</summary>
    /// <param name="transport">How to receive.</param>
    /// <param name="host">The server's.</param>
    /// <param name="target">The channel's.</param>
    /// <param name="after">The position; null for none.</param>
    /// <param name="etag">Of the last answer to a poll; null for none. A server that says 304 where there is something new is found out at the end.</param>
    /// <param name="isLastEventId">Send an event stream's position in the header, as browsers do when they come back.</param>
    /// <param name="isMany">Ask for envelopes where an event would not say which channel it is of.</param>
    /// <param name="offersDeflate">Offer permessage-deflate, where there are frames.</param>
    public static byte[] Make(Transport transport, string host, string target, EntryId? after, string? etag, bool isLastEventId, bool isMany = false, bool offersDeflate = false)
    {
        bool isInHeader = isLastEventId && transport == Transport.Sse;
        string query = string.Join('&', new[] { ParameterOf(transport, isMany), after is null || isInHeader ? null : $"after={after}" }.Where(part => part is not null));
        string separator = query.Length == 0 ? string.Empty : target.Contains('?', StringComparison.Ordinal) ? "&" : "?";
        return Encoding.ASCII.GetBytes(
            $"GET {target}{separator}{query} HTTP/1.1\r\nHost: {host}\r\n{FieldsOf(transport)}" +
            (after is not null && isInHeader ? $"Last-Event-ID: {after}\r\n" : string.Empty) +
            (offersDeflate && transport == Transport.WebSocket ? DeflateOffer.Field : string.Empty) +
            (etag is null ? string.Empty : $"If-None-Match: {etag}\r\n") + "\r\n");
    }

    private static string? ParameterOf(Transport transport, bool isMany) => transport switch
    {
        Transport.WebSocket => "format=json",
        Transport.Sse when isMany => "format=json",
        Transport.LongPoll => $"wait={LongPollSeconds}&limit={PollMessagesMax}",
        Transport.ShortPoll => $"limit={PollMessagesMax}",
        _ => null,
    };

    private static string FieldsOf(Transport transport) => transport switch
    {
        Transport.WebSocket => "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: c3dhcm0gb2YgY2xpZW50cw==\r\nSec-WebSocket-Version: 13\r\n",
        Transport.Sse => "Accept: text/event-stream\r\n",
        Transport.Ndjson => "Accept: application/x-ndjson\r\n",
        _ => string.Empty,
    };
}
