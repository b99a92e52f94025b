using System.Buffers.Text;
using System.Text;

namespace RawPush.Protocol.WebSockets.Deflate;

/// <summary>The extension permessage-deflate (RFC 7692) as this server agrees to it: no message of either side refers to an earlier one, and the server's reach back
/// <see cref="WindowBits"/> at most, so that one deflated form of a message suits every client that agreed.</summary>
/// <remarks>Safe from any thread.</remarks>
public static class PermessageDeflate
{
    /// <summary>How far back the server's matches reach, as a power of two: 4 KiB. Longer windows gain a few per cent on longer messages; a client may ask for one as
    /// short as this.</summary>
    public const int WindowBits = 12;

    private const int WindowBitsMax = 15;

    /// <summary>Whether this machine has the zlib that it takes.</summary>
    public static bool IsAvailable => Zlib.IsAvailable;

    private static ReadOnlySpan<byte> Name => "permessage-deflate"u8;

    /// <summary>Reads a Sec-WebSocket-Extensions list (RFC 6455, section 9.1) and chooses the first offer of this extension that the server can accept
    /// (RFC 7692, section 5.1).</summary>
    /// <param name="offered">The list as the client sent it, in its order of preference; several such headers are joined by commas first.</param>
    /// <param name="response">The value to answer with; null when there is no such offer, and the answer then carries no such header.</param>
    /// <returns>False when the list is malformed, which the handshake must not survive (RFC 6455, section 9.1).</returns>
    public static bool TryChoose(ReadOnlySpan<byte> offered, out string? response)
    {
        response = null;
        var reader = new ExtensionReader(offered);
        while (reader.TryReadName(out var name))
        {
            var offer = new Offer(isOurs: Ascii.EqualsIgnoreCase(name, Name));
            while (reader.TryReadParameter(out var parameter, out var value, out bool hasValue))
            {
                offer.Add(parameter, value, hasValue);
            }

            response ??= offer.Response;
        }

        // Only now: a list that turns out malformed further on chooses nothing.
        response = reader.IsMalformed ? null : response;
        return !reader.IsMalformed;
    }

    /// <summary>One offer, parameter by parameter. An unknown, repeated or impossible one makes it unacceptable (RFC 7692, section 7.1).</summary>
    private struct Offer(bool isOurs)
    {
        private bool _isAcceptable = isOurs;
        private bool _saysServerContext;
        private bool _saysClientContext;
        private bool _saysServerWindow;
        private bool _saysClientWindow;

        // Both sides without context takeover, asked for or not: a server may say so (sections 7.1.1.1 and 7.1.1.2).
        public readonly string? Response => !_isAcceptable
            ? null
            : "permessage-deflate; server_no_context_takeover; client_no_context_takeover" + (_saysServerWindow ? "; server_max_window_bits=12" : string.Empty);

        public void Add(ReadOnlySpan<byte> parameter, ReadOnlySpan<byte> value, bool hasValue)
        {
            // Names of parameters are compared as they are written; zlib knows no window of 8 bits, and ours is of 12.
            _isAcceptable &= parameter switch
            {
                _ when parameter.SequenceEqual("server_no_context_takeover"u8) => IsFirst(ref _saysServerContext) && !hasValue,
                _ when parameter.SequenceEqual("client_no_context_takeover"u8) => IsFirst(ref _saysClientContext) && !hasValue,
                _ when parameter.SequenceEqual("server_max_window_bits"u8) => IsFirst(ref _saysServerWindow) && ReadWindowBits(value) >= WindowBits,
                _ when parameter.SequenceEqual("client_max_window_bits"u8) => IsFirst(ref _saysClientWindow) && (!hasValue || ReadWindowBits(value) > 0),
                _ => false,
            };
        }

        private static bool IsFirst(ref bool isSaid)
        {
            bool isFirst = !isSaid;
            isSaid = true;
            return isFirst;
        }

        // Section 7.1.2: a decimal from 8 to 15 without leading zeros. 0: it is not.
        private static int ReadWindowBits(ReadOnlySpan<byte> value) =>
            Utf8Parser.TryParse(value, out byte bits, out int consumed) && consumed == value.Length && value[0] is not ((byte)'0' or (byte)'+') && bits is >= 8 and <= WindowBitsMax
                ? bits
                : 0;
    }
}
