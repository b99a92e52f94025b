using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using RawPush.Fanout.Channels;
using RawPush.Protocol;

namespace RawPush.Server.Http;

/// <summary>A line of a batch: <c>{"channel":…,"data":…,"encoding":"base64","event":…,"key":…,"idempotencyKey":…,"expires":seconds}</c>.</summary>
/// <remarks>Data that is not a string is published as the JSON that it is.</remarks>
internal static class BatchLine
{
    /// <summary>Reads a line. False: it is wrong, and <paramref name="error"/> says why.</summary>
    /// <param name="line">Without its end.</param>
    /// <param name="addressed">The channel in the address of the batch, which lines then need not name; null: there is none.</param>
    /// <param name="channel">Where to publish.</param>
    /// <param name="message">What.</param>
    /// <param name="error">For the client.</param>
    public static bool TryRead(
        ReadOnlyMemory<byte> line, ChannelName? addressed, out ChannelName channel, out PushMessage message, [NotNullWhen(false)] out string? error)
    {
        channel = addressed ?? default;
        message = default;
        try
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            error = root.ValueKind == JsonValueKind.Object ? FindFault(root) : "a line is a JSON object";
            return error is null && TryReadChannel(root, addressed, ref channel, out error) && TryReadMessage(root, out message, out error);
        }
        catch (JsonException)
        {
            error = "the line is not JSON";
            return false;
        }
        catch (InvalidOperationException)
        {
            // What the reader says of escapes that make half a character.
            error = "the line has text that is not Unicode";
            return false;
        }
    }

    private static string? FindFault(JsonElement root)
    {
        foreach (var property in root.EnumerateObject())
        {
            string? wanted = property.Name switch
            {
                "data" => null,
                "channel" or "encoding" or "event" or "key" or "idempotencyKey" => property.Value.ValueKind == JsonValueKind.String ? null : "a string",
                "expires" => property.Value.ValueKind == JsonValueKind.Number ? null : "a number of seconds",
                _ => string.Empty,
            };
            if (wanted is not null)
            {
                // Not the name that nobody knows: it may be as long as the line, and the answer is kept to the end.
                return wanted.Length == 0 ? "a message has channel, data, encoding, event, key, idempotencyKey and expires, and nothing else" : $"{property.Name} is {wanted}";
            }
        }

        return root.TryGetProperty("data"u8, out _) ? null : "data is missing";
    }

    private static bool TryReadChannel(JsonElement root, ChannelName? addressed, ref ChannelName channel, [NotNullWhen(false)] out string? error)
    {
        if (TextOf(root, "channel"u8) is not { } name)
        {
            error = addressed is null ? "channel is missing" : null;
            return error is null;
        }

        if (!ChannelName.TryParse(name, out channel, out error))
        {
            return false;
        }

        error = addressed is { } one && one != channel ? "the address of the batch names another channel" : null;
        return error is null;
    }

    private static bool TryReadMessage(JsonElement root, out PushMessage message, [NotNullWhen(false)] out string? error)
    {
        message = default;
        error = null;
        var data = root.GetProperty("data"u8);
        string? encoding = TextOf(root, "encoding"u8);
        if (encoding is null)
        {
            string text = data.ValueKind == JsonValueKind.String ? data.GetString()! : data.GetRawText();
            message = new PushMessage(MessageKind.Text, Encoding.UTF8.GetBytes(text), ReadTraits(root));
            return true;
        }

        if (encoding != "base64" || data.ValueKind != JsonValueKind.String || !data.TryGetBytesFromBase64(out byte[]? bytes))
        {
            error = "encoding is base64, and data then a string in it";
            return false;
        }

        message = new PushMessage(MessageKind.Binary, bytes, ReadTraits(root));
        return true;
    }

    private static MessageTraits? ReadTraits(JsonElement root)
    {
        TimeSpan? expires = root.TryGetProperty("expires"u8, out var seconds) ? TimeSpan.FromSeconds(Math.Clamp(seconds.GetDouble(), 0, int.MaxValue)) : null;
        var traits = new MessageTraits
        {
            EventName = TextOf(root, "event"u8),
            Key = TextOf(root, "key"u8),
            IdempotencyKey = TextOf(root, "idempotencyKey"u8),
            Expires = expires,
        };
        return traits == new MessageTraits() ? null : traits;
    }

    private static string? TextOf(JsonElement root, ReadOnlySpan<byte> name) => root.TryGetProperty(name, out var value) ? value.GetString() : null;
}
