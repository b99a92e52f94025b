using System.Text.Encodings.Web;
using System.Text.Json;
using RawPush.Fanout.Presence;

namespace RawPush.Server.Http;

/// <summary>Answers in JSON, for people and tools.</summary>
internal static class JsonAnswers
{
    /// <summary>Answers with one value, which no cache may keep.</summary>
    public static async Task AnswerJsonAsync(this HttpContext context, Action<Utf8JsonWriter> write)
    {
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        write(json);
    }

    /// <summary>Whose sum it is.</summary>
    public static void WriteNodes(this Utf8JsonWriter json, NodeTally nodes)
    {
        json.WriteStartObject("nodes"u8);
        json.WriteNumber("known"u8, nodes.Known);
        json.WriteNumber("answered"u8, nodes.Answered);
        json.WriteBoolean("connected"u8, nodes.IsConnected);
        json.WriteEndObject();
    }
}
