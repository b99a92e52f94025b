using System.Text;

namespace RawPush.Protocol.Http;

/// <summary>A request target taken apart, still percent-encoded. Borrows the bytes it was parsed from.</summary>
public readonly ref struct RequestTarget
{
    private RequestTarget(ReadOnlySpan<byte> authority, ReadOnlySpan<byte> path, ReadOnlySpan<byte> query)
    {
        Authority = authority;
        Path = path;
        Query = query;
    }

    /// <summary>The host and port of the absolute-form; empty in the origin-form. When present it counts and Host does not (RFC 9112, section 3.2.2).</summary>
    public ReadOnlySpan<byte> Authority { get; }

    /// <summary>The path; starts with a slash.</summary>
    public ReadOnlySpan<byte> Path { get; }

    /// <summary>What follows the question mark; empty when there is none.</summary>
    public ReadOnlySpan<byte> Query { get; }

    /// <summary>Takes apart the origin-form and the http and https absolute-form (RFC 9112, sections 3.2.1 and 3.2.2).</summary>
    /// <returns>False for every other form, for a fragment, for user information and for a byte that is not visible ASCII.</returns>
    public static bool TryParse(ReadOnlySpan<byte> target, out RequestTarget result)
    {
        result = default;

        // A fragment is for the client alone (RFC 9110, section 4.2.5); one that reaches us was put there to be read differently by somebody.
        if (target.IsEmpty || !HttpSyntax.IsVisibleAscii(target) || target.Contains((byte)'#'))
        {
            return false;
        }

        if (target[0] == '/')
        {
            result = Split(default, target);
            return true;
        }

        return TryParseAbsolute(target, ref result);
    }

    private static bool TryParseAbsolute(ReadOnlySpan<byte> target, ref RequestTarget result)
    {
        int schemeLength = SchemeLength(target);
        ReadOnlySpan<byte> rest = target[schemeLength..];
        int authorityLength = rest.IndexOfAny((byte)'/', (byte)'?');
        if (authorityLength < 0)
        {
            authorityLength = rest.Length;
        }

        // RFC 9110, section 4.2.1: an http URI with an empty host is invalid. Section 4.2.4: so, to a recipient, should be one with user information.
        if (schemeLength == 0 || !HostSyntax.IsHostAndPort(rest[..authorityLength]))
        {
            return false;
        }

        result = Split(rest[..authorityLength], rest[authorityLength..]);
        return true;
    }

    private static int SchemeLength(ReadOnlySpan<byte> target)
    {
        ReadOnlySpan<byte> http = "http://"u8;
        if (target.Length >= http.Length && Ascii.EqualsIgnoreCase(target[..http.Length], http))
        {
            return http.Length;
        }

        ReadOnlySpan<byte> https = "https://"u8;
        return target.Length >= https.Length && Ascii.EqualsIgnoreCase(target[..https.Length], https) ? https.Length : 0;
    }

    private static RequestTarget Split(ReadOnlySpan<byte> authority, ReadOnlySpan<byte> pathAndQuery)
    {
        int mark = pathAndQuery.IndexOf((byte)'?');
        ReadOnlySpan<byte> path = mark < 0 ? pathAndQuery : pathAndQuery[..mark];
        ReadOnlySpan<byte> query = mark < 0 ? default : pathAndQuery[(mark + 1)..];

        // RFC 9110, section 4.2.3: an empty path is "/".
        return new RequestTarget(authority, path.IsEmpty ? "/"u8 : path, query);
    }
}
