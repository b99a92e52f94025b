using NATS.Client.Core;
using RawPush.TestKit.Nats;

namespace RawPush.Fanout.Tests.Brokers.Nats;

/// <summary>Anybody's client, to see what a server does.</summary>
internal static class NatsClient
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task<NatsConnection> ConnectAsync(NatsServer server, NatsOpts? options = null)
    {
        var connection = new NatsConnection((options ?? NatsOpts.Default) with { Url = server.Url });
        try
        {
            await connection.ConnectAsync();
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>A subscription that the server has.</summary>
    public static async Task<INatsSub<string>> SubscribedAsync(this NatsConnection connection, string subject)
    {
        var subscription = await connection.SubscribeCoreAsync<string>(subject, cancellationToken: TestContext.Current.CancellationToken);
        await connection.PingAsync(TestContext.Current.CancellationToken);
        return subscription;
    }

    public static async Task<string?> NextAsync(this INatsSub<string> subscription)
    {
        var message = await subscription.Msgs.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience, TestContext.Current.CancellationToken);
        return message.Data;
    }

    /// <summary>What JetStream answers, as JSON.</summary>
    public static async Task<string> AskJetStreamAsync(this NatsConnection connection, string subject, string request = "")
    {
        var options = new NatsSubOpts { Timeout = Patience };
        var reply = await connection.RequestAsync<string, string>(subject, request, replyOpts: options, cancellationToken: TestContext.Current.CancellationToken);
        return reply.Data!;
    }
}
