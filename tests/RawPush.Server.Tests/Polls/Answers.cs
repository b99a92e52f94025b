using System.Text.Json;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Polls;

/// <summary>The answer to a poll, taken apart.</summary>
internal sealed record Answer(string Head, string Body)
{
    public int Status => int.Parse(Head.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture);

    public string? Next => RawClient.FieldOf(Head, "RawPush-Next");

    public string? Tag => RawClient.FieldOf(Head, "ETag");

    /// <summary>The connection ends with this answer.</summary>
    public bool IsLast => RawClient.FieldOf(Head, "Connection") == "close";

    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    public string[] Data => Body.Length == 0 ? [] : [.. Json.GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("data").GetString()!)];
}

internal static class Answers
{
    public static async Task<Answer> ReadAnswerAsync(this RawClient client)
    {
        var (head, body) = await client.ReadResponseAsync();
        return new Answer(head, body);
    }

    /// <summary>Sends a poll and reads its answer.</summary>
    public static async Task<Answer> PollAsync(this RawClient client, string target, string fields = "")
    {
        await client.SendAsync(Heads.Get(target, fields));
        return await client.ReadAnswerAsync();
    }

    /// <summary>Sends a long poll that will find nothing, and ends when it waits.</summary>
    public static async Task ParkAsync(this PushHost host, RawClient client, string target, string fields = "")
    {
        long before = host.Metrics.Started;
        await client.SendAsync(Heads.Get(target, fields));
        await host.Metrics.WaitForStartedAsync(before + 1);
        await host.SettleAsync();
    }
}
