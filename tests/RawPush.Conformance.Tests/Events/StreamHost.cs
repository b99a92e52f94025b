using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using RawPush.Server.Hosting;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.Events;

/// <summary>A server whose channels keep everything that the tests publish.</summary>
public sealed class StreamHost : IAsyncLifetime
{
    internal PushHost Host { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Host = await PushHost.StartAsync(setup => setup.Options = options =>
        options.Namespaces.Add(new NamespaceOptions { Pattern = ">", HistoryEntries = 10_000, HistoryBytes = 256 * 1024 * 1024 }));

    public ValueTask DisposeAsync() => Host.DisposeAsync();

    /// <summary>Publishes by HTTP, and says the message's id.</summary>
    internal async Task<string> PublishAsync(string channel, byte[] payload, string contentType = "text/plain", string? eventName = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/channels/{channel}", UriKind.Relative)) { Content = new ByteArrayContent(payload) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        if (eventName is not null)
        {
            request.Headers.TryAddWithoutValidation("RawPush-Event", eventName);
        }

        using var response = await Host.Http.SendAsync(request, Patience.Token);
        response.EnsureSuccessStatusCode();
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync(Patience.Token)).RootElement.GetProperty("id").GetString()!;
    }

    internal Task<string> PublishAsync(string channel, string text) => PublishAsync(channel, Encoding.UTF8.GetBytes(text));

    /// <summary>Publishes all of them in one batch by HTTP.</summary>
    internal async Task PublishAllAsync(string channel, IEnumerable<string> texts)
    {
        string lines = string.Concat(texts.Select(text => JsonSerializer.Serialize(new { data = text }) + "\n"));
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(lines));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        using var response = await Host.Http.PostAsync(new Uri($"/channels/{channel}", UriKind.Relative), content, Patience.Token);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Opens a stream and reads its head.</summary>
    internal async Task<(RawClient Client, string Head)> OpenAsync(string request)
    {
        var client = await Host.ConnectAsync();
        await client.SendAsync(request);
        return (client, await client.ReadHeadAsync());
    }
}
