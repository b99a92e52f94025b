using System.Text.Json;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Publishing;

namespace RawPush.Server.Http;

/// <summary>What publishers are told.</summary>
internal static class PublishAnswers
{
    public static int StatusCode(this PublishRefusal refusal) => refusal switch
    {
        PublishRefusal.TooLarge => 413,
        PublishRefusal.TooManyChannels or PublishRefusal.NoBus or PublishRefusal.NotConfirmed => 503,
        PublishRefusal.Full => 507,
        _ => 400,
    };

    /// <summary><c>{"id":…,"subscribers":…}</c>, and <c>"duplicate":true</c> for a message that had been published before.</summary>
    public static void WriteReceipt(this Utf8JsonWriter json, PublishReceipt receipt)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, receipt.Id.ToString());
        json.WriteNumber("subscribers"u8, receipt.Subscribers);
        if (receipt.IsDuplicate)
        {
            json.WriteBoolean("duplicate"u8, true);
        }

        json.WriteEndObject();
    }

    /// <summary><c>{"error":…,"status":…}</c></summary>
    public static void WriteError(this Utf8JsonWriter json, int status, string error)
    {
        json.WriteStartObject();
        json.WriteString("error"u8, error);
        json.WriteNumber("status"u8, status);
        json.WriteEndObject();
    }
}
