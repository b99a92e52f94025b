using System.Text.Json;

namespace RawPush.Swarm.Bus;

/// <summary>Asks a NATS server over HTTP what it knows of the nodes.</summary>
internal sealed class NatsMonitor(int port) : IDisposable
{
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(2) };

    /// <summary>Subscriptions of all connections that nodes have; 0 while the server does not answer.</summary>
    public async Task<long> CountSubscriptionsAsync()
    {
        try
        {
            using var connections = JsonDocument.Parse(await _http.GetStringAsync($"http://127.0.0.1:{port}/connz"));
            return connections.RootElement.GetProperty("connections").EnumerateArray().Where(IsNode).Sum(connection => connection.GetProperty("subscriptions").GetInt64());
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            return 0;
        }
    }

    public void Dispose() => _http.Dispose();

    private static bool IsNode(JsonElement connection) => connection.TryGetProperty("name", out var name) && name.GetString() == "rawpush";
}
