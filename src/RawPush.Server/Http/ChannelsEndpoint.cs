using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using RawPush.Fanout.Channels;
using RawPush.Server.Requests;

namespace RawPush.Server.Http;

/// <summary><c>GET /channels</c>: which channels there are, a page at a time, or with <c>name=</c> one of them. For people and tools, on listeners that may publish.</summary>
internal sealed class ChannelsEndpoint(ChannelHub hub)
{
    private const int LimitDefault = 100;
    private const int LimitMax = 1000;

    public Task InvokeAsync(HttpContext context)
    {
        if (!context.MayPublish())
        {
            return context.RefuseAsync(Refusal.NotFound);
        }

        var query = context.Request.Query;
        return (string?)query["name"] is { } name ? DescribeAsync(context, name) : ListAsync(context, query);
    }

    private Task DescribeAsync(HttpContext context, string text)
    {
        if (!ChannelName.TryParse(text, out var name, out string? error))
        {
            return context.RefuseAsync(new Refusal(400, error));
        }

        return hub.Describe(name) is { } report
            ? AnswerAsync(context, json => WriteReport(json, report))
            : context.RefuseAsync(new Refusal(404, "nobody subscribes to this channel, and nothing of it is kept"));
    }

    private Task ListAsync(HttpContext context, IQueryCollection query)
    {
        int limit = LimitDefault;
        if ((string?)query["limit"] is { } text && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > LimitMax))
        {
            return context.RefuseAsync(new Refusal(400, $"limit is a number of channels from 1 to {LimitMax}"));
        }

        ChannelFilter? filter = null;
        if ((string?)query["match"] is { } pattern)
        {
            if (!ChannelFilter.TryParse(pattern, out var parsed, out string? error))
            {
                return context.RefuseAsync(new Refusal(400, error));
            }

            filter = parsed;
        }

        var page = hub.List((string?)query["after"] ?? string.Empty, limit, filter);
        return AnswerAsync(context, json => WritePage(json, page, isFull: page.Count == limit));
    }

    private void WritePage(Utf8JsonWriter json, IReadOnlyList<ChannelReport> page, bool isFull)
    {
        json.WriteStartObject();
        json.WriteNumber("count"u8, hub.ChannelCount);
        json.WriteNumber("patterns"u8, hub.PatternCount);
        json.WriteString("newest"u8, hub.Newest.ToString());
        json.WriteStartArray("channels"u8);
        foreach (var report in page)
        {
            WriteReport(json, report);
        }

        json.WriteEndArray();
        if (isFull)
        {
            json.WriteString("next"u8, page[^1].Name);
        }

        json.WriteEndObject();
    }

    private void WriteReport(Utf8JsonWriter json, ChannelReport report)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, report.Name);
        json.WriteNumber("subscribers"u8, report.Subscribers);
        json.WriteNumber("slow"u8, report.Laggards);
        WriteId(json, "newest"u8, report.NewestSequence);
        WriteId(json, "oldest"u8, report.OldestSequence);
        WriteId(json, "droppedThrough"u8, report.DroppedThrough);
        json.WriteNumber("entries"u8, report.Entries);
        json.WriteNumber("bytes"u8, report.Bytes);
        json.WriteStartObject("namespace"u8);
        json.WriteString("pattern"u8, report.Settings.Pattern.Value);
        json.WriteNumber("historyEntries"u8, report.Settings.HistoryEntries);
        json.WriteNumber("historyBytes"u8, report.Settings.HistoryBytes);
        json.WriteNumber("historySeconds"u8, report.Settings.HistoryAge.TotalSeconds);
        json.WriteString("lagPolicy"u8, report.Settings.LagPolicy.ToString());
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteId(Utf8JsonWriter json, ReadOnlySpan<byte> name, long sequence)
    {
        if (sequence > 0)
        {
            json.WriteString(name, new MessageId(hub.Broker.Epoch, sequence).ToString());
        }
    }

    private static async Task AnswerAsync(HttpContext context, Action<Utf8JsonWriter> write)
    {
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        write(json);
    }
}
