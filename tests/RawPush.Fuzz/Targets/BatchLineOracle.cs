using System.Text;
using RawPush.Fanout.Channels;
using RawPush.Fuzz.References;
using RawPush.Server.Http;

namespace RawPush.Fuzz.Targets;

/// <summary><see cref="BatchLine"/> takes what <see cref="ReferenceBatchLine"/> takes, and makes the same message of it.</summary>
/// <remarks>Input: a byte, odd when the batch has a channel in its address; the line.</remarks>
internal static class BatchLineOracle
{
    private static readonly ChannelName Addressed = ChannelName.Parse("news");

    public static void Run(FuzzInput source)
    {
        ChannelName? addressed = (source.TakeByte() & 1) == 0 ? null : Addressed;
        byte[] line = source.TakeRest();

        string expected = ReferenceBatchLine.Read(line, addressed) is { } read ? Describe(read.Channel, read.Message) : "refused";
        bool isRead = BatchLine.TryRead(line, addressed, out var channel, out var message, out string? error);
        Oracle.Same(expected, isRead ? Describe(channel, message) : "refused", "the line");
        Oracle.Same(isRead, string.IsNullOrEmpty(error), "a reason for lines that are refused");
    }

    public static string Describe(ChannelName channel, PushMessage message) =>
        $"{channel.Value} {message.Kind} {Convert.ToHexString(message.Payload.Span)} {Describe(message.Traits)}";

    // What clients chose, in a form that no other choice shares.
    private static string Describe(MessageTraits? traits) => traits is null
        ? "no traits"
        : $"{Hex(traits.EventName)} {Hex(traits.Key)} {Hex(traits.IdempotencyKey)} {traits.Expires}";

    private static string Hex(string? text) => text is null ? "none" : Convert.ToHexString(Encoding.Unicode.GetBytes(text));
}
