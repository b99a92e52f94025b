using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Options;
using RawPush.Server.Hosting;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.Http;

/// <summary>A push server for the cases of a class, with a listener of Kestrel's own beside it, on which nothing of ours reads.</summary>
public sealed class HttpHost : IAsyncLifetime
{
    internal PushHost Host { get; private set; } = null!;

    internal Uri Plain => new(Host.Addresses[2]);

    public async ValueTask InitializeAsync() => Host = await PushHost.StartAsync(setup =>
    {
        setup.Options = options => options.Namespaces.Add(new NamespaceOptions { Pattern = "kept.>", HistoryEntries = 100 });
        setup.Routes = app => app.MapPost("/mirror", context => context.Request.Body.CopyToAsync(context.Response.Body));
        setup.Listeners = kestrel => kestrel.Listen(IPAddress.Loopback, 0);
    });

    public ValueTask DisposeAsync() => Host.DisposeAsync();

    /// <summary>Sockets are ours. Otherwise they are Kestrel's, polls are its HTTP server's, and no half of a connection ends before the other.</summary>
    internal bool IsEpoll => Host.Get<IOptions<RawPushOptions>>().Value.Transport == PushTransport.Epoll;

    /// <summary>Asserts that the server ends the connection, and says nothing more.</summary>
    internal async Task EndsAsync(RawClient client)
    {
        if (!IsEpoll)
        {
            // It lingers for a second over what we might still send.
            client.EndSending();
        }

        try
        {
            Assert.Empty(await client.ReadTextToEndAsync());
        }
        catch (IOException) when (!IsEpoll)
        {
            // Kestrel does not wait for what it does not read: a reset is an end as well.
        }
    }

    /// <summary>A connection on which bytes were sent, each char one of them.</summary>
    internal async Task<RawClient> SendAsync(string wire, Uri? listener = null)
    {
        var client = await Host.ConnectAsync(listener);
        await client.SendAsync(Encoding.Latin1.GetBytes(wire));
        return client;
    }
}

/// <summary>What is seen of an answer.</summary>
/// <param name="Head">Up to the empty line.</param>
/// <param name="Body">Where it has an end of its own.</param>
internal sealed record Answer(string Head, string Body)
{
    public int Status => int.Parse(Head.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture);

    public bool SaysClose => Field("Connection") is { } options && options.Split(", ").Contains("close");

    public string? Field(string name) => RawClient.FieldOf(Head, name);
}

internal static class Answers
{
    /// <summary>Reads one whole answer; of a stream or an upgrade the head.</summary>
    public static async Task<Answer> ReadAnswerAsync(this RawClient client)
    {
        string head = await client.ReadHeadAsync();
        string? length = RawClient.FieldOf(head, "Content-Length");
        string body = length is null ? string.Empty : Encoding.UTF8.GetString(await client.ReadExactlyAsync(int.Parse(length, System.Globalization.CultureInfo.InvariantCulture)));
        return new Answer(head, body);
    }

    /// <summary>Reads a refusal of ours: a status, a line of text, and the orderly end of the connection.</summary>
    public static async Task<Answer> ReadRefusalAsync(this RawClient client)
    {
        var answer = await client.ReadAnswerAsync();
        Assert.Equal("text/plain; charset=utf-8", answer.Field("Content-Type"));
        Assert.True(answer.SaysClose);
        Assert.NotNull(answer.Field("Date"));
        Assert.Matches("\\A[^\\n]+\\n\\z", answer.Body);
        return answer;
    }
}
