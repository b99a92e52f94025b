using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>Frames of a server as lines of text, so that what must come and what came can be compared and read.</summary>
internal static class Reply
{
    private const int ReadableBytesMax = 200;

    /// <summary>The answer to a close frame without a status.</summary>
    public const string EmptyClose = "Close";

    public static string Text(string text) => Of(Opcode.Text, Encoding.UTF8.GetBytes(text));

    public static string Binary(ReadOnlySpan<byte> payload) => Of(Opcode.Binary, payload);

    public static string Pong(ReadOnlySpan<byte> payload) => Of(Opcode.Pong, payload);

    /// <summary>The answer to a close frame: its status, and nothing else.</summary>
    public static string Close(int status) => $"Close {status}";

    /// <summary>A close frame that the server sends on its own account: it has a reason.</summary>
    public static string Refusal(int status) => $"Close {status} and a reason";

    public static bool IsClose(string reply) => reply.StartsWith(EmptyClose, StringComparison.Ordinal);

    public static bool IsRefusal(string reply) => IsClose(reply) && reply.EndsWith(" and a reason", StringComparison.Ordinal);

    public static string Of(ServerFrame frame)
    {
        // The server never cuts its frames, and all that is longer than 125 bytes is a message.
        Assert.True(frame.IsFinal);
        Assert.True(frame.Opcode < Opcode.Close || frame.Payload.Length <= ClosePayload.BytesMax);
        return Of(frame.Opcode, frame.Payload);
    }

    public static string Of(Opcode opcode, ReadOnlySpan<byte> payload) => opcode == Opcode.Close ? OfClose(payload) : $"{opcode} {Describe(payload)}";

    private static string OfClose(ReadOnlySpan<byte> payload)
    {
        if (payload.IsEmpty)
        {
            return EmptyClose;
        }

        Assert.True(ClosePayload.TryRead(payload, out _, out var reason), "The server's close frame is malformed.");
        int status = BinaryPrimitives.ReadUInt16BigEndian(payload);
        return reason.IsEmpty ? Close(status) : Refusal(status);
    }

    private static string Describe(ReadOnlySpan<byte> payload) => payload.Length <= ReadableBytesMax
        ? Convert.ToHexString(payload)
        : $"{payload.Length} bytes, {Convert.ToHexString(SHA256.HashData(payload))}";
}
