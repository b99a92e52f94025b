using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics;
using System.Security.Cryptography;

namespace RawPush.Protocol.WebSockets;

/// <summary>What a server computes from the opening handshake (RFC 6455, section 4.2).</summary>
/// <remarks>Static and without state: safe from any thread.</remarks>
public static class WebSocketHandshake
{
    /// <summary>The only version of RFC 6455 (section 4.1, Sec-WebSocket-Version).</summary>
    public const int Version = 13;

    /// <summary>Bytes of a key: sixteen bytes in base64.</summary>
    public const int KeyLength = 24;

    /// <summary>Bytes of the answer to a key: a SHA-1 hash, twenty bytes, in base64.</summary>
    public const int AcceptLength = 28;

    // Section 1.3: a constant that no server would hash by accident.
    private static ReadOnlySpan<byte> KeySuffix => "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"u8;

    /// <summary>Whether a Sec-WebSocket-Key is the base64 of exactly sixteen bytes (section 4.2.1), as an encoder would write it.</summary>
    public static bool IsValidKey(ReadOnlySpan<byte> key)
    {
        // Twenty-four bytes that decode to sixteen leave no room for the white space that IsValid lets pass.
        if (key.Length != KeyLength || !Base64.IsValid(key, out int decodedLength) || decodedLength != 16)
        {
            return false;
        }

        // Four bits of the last digit are beyond the sixteenth byte, and zero: only A, Q, g and w end so (RFC 4648, section 3.5).
        return key[21] is (byte)'A' or (byte)'Q' or (byte)'g' or (byte)'w';
    }

    /// <summary>Computes the Sec-WebSocket-Accept that answers a key (section 4.2.2).</summary>
    /// <param name="key">A key that <see cref="IsValidKey"/> finds valid.</param>
    /// <param name="accept">Room for <see cref="AcceptLength"/> bytes, which are all written.</param>
    /// <exception cref="ArgumentException"><paramref name="key"/> is not <see cref="KeyLength"/> long, or <paramref name="accept"/> is too short.</exception>
    public static void ComputeAccept(ReadOnlySpan<byte> key, Span<byte> accept)
    {
        ThrowIfNot(key.Length == KeyLength, "The key does not have the length of a valid one.", nameof(key));
        ThrowIfNot(accept.Length >= AcceptLength, "The destination is too short for the accept value.", nameof(accept));

        Span<byte> salted = stackalloc byte[KeyLength + KeySuffix.Length];
        key.CopyTo(salted);
        KeySuffix.CopyTo(salted[KeyLength..]);

        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
#pragma warning disable CA5350 // SHA-1 proves here that the server speaks WebSocket, and protects nothing (section 10.8).
        SHA1.HashData(salted, hash);
#pragma warning restore CA5350
        var status = Base64.EncodeToUtf8(hash, accept, out _, out int written);
        Debug.Assert(status == OperationStatus.Done && written == AcceptLength, "Twenty bytes take twenty-eight in base64.");
    }

    /// <summary>Chooses the first subprotocol of a Sec-WebSocket-Protocol list that the server supports (section 4.2.2).</summary>
    /// <param name="offered">The list as the client sent it, in its order of preference; several such headers are joined by commas first.</param>
    /// <param name="supported">What the server speaks, in any order. Names are compared exactly, case and all.</param>
    /// <param name="chosen">
    /// The element of <paramref name="supported"/> to answer with; null when none was offered, and the answer then carries no such header.
    /// </param>
    /// <returns>
    /// False when the list is malformed: a name that is no token, or that comes twice (section 4.1). So is one of more than 32 names, because
    /// finding the double costs the square of their number. Empty elements are passed over (RFC 9110, section 5.6.1.2).
    /// </returns>
    public static bool TryChooseSubprotocol(ReadOnlySpan<byte> offered, ReadOnlySpan<string> supported, out string? chosen) =>
        SubprotocolList.TryChoose(offered, supported, out chosen);

    private static void ThrowIfNot(bool condition, string message, string parameter)
    {
        if (!condition)
        {
            throw new ArgumentException(message, parameter);
        }
    }
}
