using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using RawPush.Fanout.Channels;
using RawPush.Protocol;

namespace RawPush.Fuzz.References;

/// <summary>A batch line read token by token, without a document.</summary>
internal static class ReferenceBatchLine
{
    private static readonly string[] TextNames = ["channel", "encoding", "event", "key", "idempotencyKey"];

    /// <summary>Channel and message; null when the line is wrong.</summary>
    public static (ChannelName Channel, PushMessage Message)? Read(byte[] line, ChannelName? addressed)
    {
        try
        {
            var members = ReadMembers(line);
            return members is not null && ReadChannel(members, addressed) is { } channel && ReadMessage(members) is { } message
                ? (channel, message)
                : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    // Null when it is no object with data, or a value is of the wrong type. Where a name repeats each value is judged, and the last one counts.
    private static Dictionary<string, Member>? ReadMembers(byte[] line)
    {
        var reader = new Utf8JsonReader(line);
        var members = new Dictionary<string, Member>();
        reader.Read();
        bool isObject = reader.TokenType == JsonTokenType.StartObject;
        bool isRight = isObject;
        while (reader.Read())
        {
            if (isObject && reader.CurrentDepth == 1 && reader.TokenType == JsonTokenType.PropertyName)
            {
                string name = reader.GetString()!;
                reader.Read();
                int start = (int)reader.TokenStartIndex;
                var type = reader.TokenType;
                string? text = type == JsonTokenType.String ? reader.GetString() : null;
                reader.Skip();
                members[name] = new Member(text, line[start..(int)reader.BytesConsumed]);
                isRight &= HasRightType(name, type);
            }
        }

        return isRight && members.ContainsKey("data") ? members : null;
    }

    private static bool HasRightType(string name, JsonTokenType type) => name switch
    {
        "data" => true,
        "expires" => type == JsonTokenType.Number,
        _ => TextNames.Contains(name) && type == JsonTokenType.String,
    };

    private static ChannelName? ReadChannel(Dictionary<string, Member> members, ChannelName? addressed)
    {
        if (!members.TryGetValue("channel", out var member))
        {
            return addressed;
        }

        return ChannelName.TryParse(member.Text!, out var channel, out _) && (addressed is null || addressed == channel) ? channel : null;
    }

    private static PushMessage? ReadMessage(Dictionary<string, Member> members)
    {
        var data = members["data"];
        if (!members.TryGetValue("encoding", out var encoding))
        {
            byte[] text = data.Text is null ? data.Raw : Encoding.UTF8.GetBytes(data.Text);
            return Utf8.IsValid(text) ? new PushMessage(MessageKind.Text, text, ReadTraits(members)) : null;
        }

        if (encoding.Text != "base64" || data.Text is null)
        {
            return null;
        }

        var bytes = new byte[data.Text.Length];

        // The bits behind the last byte are zero (RFC 4648 section 3.5), which this decoder does not look at.
        return Convert.TryFromBase64String(data.Text, bytes, out int length) && Convert.ToBase64String(bytes, 0, length) == string.Concat(data.Text.Where(c => !char.IsWhiteSpace(c)))
            ? new PushMessage(MessageKind.Binary, bytes.AsMemory(0, length), ReadTraits(members))
            : null;
    }

    private static MessageTraits? ReadTraits(Dictionary<string, Member> members)
    {
        string? TextOf(string name) => members.TryGetValue(name, out var member) ? member.Text : null;

        var traits = new MessageTraits
        {
            EventName = TextOf("event"),
            Key = TextOf("key"),
            IdempotencyKey = TextOf("idempotencyKey"),
            Expires = members.TryGetValue("expires", out var seconds) ? ReadSeconds(Encoding.ASCII.GetString(seconds.Raw)) : null,
        };
        return members.Keys.Any(name => name is "event" or "key" or "idempotencyKey" or "expires") ? traits : null;
    }

    private static TimeSpan ReadSeconds(string number) =>
        TimeSpan.FromSeconds(Math.Clamp(double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture), 0, int.MaxValue));

    /// <param name="Text">Of a string, what it says.</param>
    /// <param name="Raw">The whole value as it stands.</param>
    private sealed record Member(string? Text, byte[] Raw);
}
