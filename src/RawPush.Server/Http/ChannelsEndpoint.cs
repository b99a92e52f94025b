using System.Globalization;
using System.Text.Json;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Presence;
using RawPush.Server.Requests;

namespace RawPush.Server.Http;

/// <summary><c>GET /channels</c>: which channels there are, a page at a time, or with <c>name=</c> one of them. For people and tools, on listeners that may publish.</summary>
internal sealed class ChannelsEndpoint(ChannelHub hub, IPresence presence)
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

    private async Task DescribeAsync(HttpContext context, string text)
    {
        if (!ChannelName.TryParse(text, out var name, out string? error))
        {
            await context.RefuseAsync(new Refusal(400, error));
            return;
        }

        PresenceReport sum;
        try
        {
            sum = await presence.CountAsync(name, context.RequestAborted);
        }
        catch (PresenceBusyException)
        {
            await context.RefuseAsync(PresenceEndpoint.Busy);
            return;
        }

        var report = hub.Describe(name) ?? (sum.Subscribers > 0 ? hub.DescribeAbsent(name) : null);
        await (report is not null
            ? context.AnswerJsonAsync(json => WriteReport(json, report, sum))
            : context.RefuseAsync(new Refusal(404, "nobody subscribes to this channel, and nothing of it is kept")));
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
        return context.AnswerJsonAsync(json => WritePage(json, page, isFull: page.Count == limit));
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

    /// <param name="json">Where to.</param>
    /// <param name="report">What this node has.</param>
    /// <param name="sum">What all nodes have; null if they were not asked.</param>
    private void WriteReport(Utf8JsonWriter json, ChannelReport report, PresenceReport? sum = null)
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
        if (sum is not null)
        {
            json.WriteStartObject("cluster"u8);
            json.WriteNumber("subscribers"u8, sum.Subscribers);
            json.WriteNodes(sum.Nodes);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private void WriteId(Utf8JsonWriter json, ReadOnlySpan<byte> name, long sequence)
    {
        if (sequence > 0)
        {
            json.WriteString(name, new MessageId(hub.Broker.Epoch, sequence).ToString());
        }
    }
}
