using System.Text.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using RawPush.Server.Http;
using RawPush.Server.Requests;

namespace RawPush.Server.Health;

/// <summary>Says whether the server lives, and whether clients should be sent to it. On listeners that may publish, since reasons name what is behind the server.</summary>
internal static class HealthEndpoint
{
    public static Task AnswerLiveAsync(HttpContext context) => AnswerAsync(context, static check => check.Tags.Contains(RawPushHealthChecks.LiveTag), "alive");

    public static Task AnswerReadyAsync(HttpContext context) => AnswerAsync(context, predicate: null, "ready");

    private static async Task AnswerAsync(HttpContext context, Func<HealthCheckRegistration, bool>? predicate, string word)
    {
        if (!context.MayPublish())
        {
            await context.RefuseAsync(Refusal.NotFound);
            return;
        }

        var report = await context.RequestServices.GetRequiredService<HealthCheckService>().CheckHealthAsync(predicate, context.RequestAborted);
        bool isHealthy = report.Status != HealthStatus.Unhealthy;
        context.Response.StatusCode = isHealthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        await context.AnswerJsonAsync(json =>
        {
            json.WriteStartObject();
            json.WriteString("status"u8, isHealthy ? word : "not " + word);
            WriteReasons(json, "reasons", report, HealthStatus.Unhealthy);
            WriteReasons(json, "warnings", report, HealthStatus.Degraded);
            json.WriteEndObject();
        });
    }

    private static void WriteReasons(Utf8JsonWriter json, string name, HealthReport report, HealthStatus status)
    {
        string[] reasons = [.. report.Entries.Where(entry => entry.Value.Status == status).Select(entry => entry.Value.Description ?? entry.Key)];
        if (reasons.Length == 0)
        {
            return;
        }

        json.WriteStartArray(name);
        foreach (string reason in reasons)
        {
            json.WriteStringValue(reason);
        }

        json.WriteEndArray();
    }
}
