using System.Text.Json;
using NATS.Client.Core;
using RawPush.TestKit.Nats;

namespace RawPush.Fanout.Tests.Brokers.Nats;

public sealed class NatsClusterTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Messages_pass_between_members_also_when_one_is_killed_and_when_it_is_back()
    {
        await using var cluster = await NatsCluster.StartAsync();
        var (one, other, third) = (cluster.Servers[0], cluster.Servers[1], cluster.Servers[2]);
        await using var subscriber = await NatsClient.ConnectAsync(one);
        await using var publisher = await NatsClient.ConnectAsync(other);
        await using var subscription = await subscriber.SubscribedAsync("a.*");
        await cluster.WaitForInterestAsync(one, "a.*");

        await publisher.PublishAsync("a.b", "among three", cancellationToken: Stop);
        Assert.Equal("among three", await subscription.NextAsync());

        await third.KillAsync();
        await publisher.PublishAsync("a.b", "among two", cancellationToken: Stop);
        Assert.Equal("among two", await subscription.NextAsync());

        await third.RestartAsync();
        await cluster.WaitUntilWholeAsync();
        await cluster.WaitForInterestAsync(one, "a.*");
        await using var late = await NatsClient.ConnectAsync(third);
        await late.PublishAsync("a.b", "among three again", cancellationToken: Stop);
        Assert.Equal("among three again", await subscription.NextAsync());
    }

    [Fact]
    public async Task A_member_that_is_cut_off_has_its_clients_and_nobody_else_until_it_is_healed()
    {
        await using var cluster = await NatsCluster.StartAsync();
        var (cut, other) = (cluster.Servers[0], cluster.Servers[1]);
        await using var inside = await NatsClient.ConnectAsync(cut);
        await using var outside = await NatsClient.ConnectAsync(other);
        await using var subscription = await inside.SubscribedAsync("a");
        await using var elsewhere = await outside.SubscribedAsync("a");
        await cluster.WaitForInterestAsync(cut, "a");
        await cluster.WaitForInterestAsync(other, "a");

        await cluster.CutAsync(cut);
        await cluster.WaitUntilWholeAsync();
        await outside.PublishAsync("a", "outside", cancellationToken: Stop);
        Assert.Equal("outside", await elsewhere.NextAsync());
        await inside.PublishAsync("a", "inside", cancellationToken: Stop);
        Assert.Equal("inside", await subscription.NextAsync());

        await cluster.HealAsync(cut);
        await cluster.WaitForInterestAsync(cut, "a");
        await cluster.WaitForInterestAsync(other, "a");
        await outside.PublishAsync("a", "healed", cancellationToken: Stop);

        // What was said on the other side of the cut never comes.
        Assert.Equal("healed", await subscription.NextAsync());
        Assert.Equal("healed", await elsewhere.NextAsync());
        Assert.Equal(NatsConnectionState.Open, inside.ConnectionState);
    }

    [Fact]
    public async Task A_stream_on_three_members_survives_the_kill_of_its_leader()
    {
        await using var cluster = await NatsCluster.StartAsync(options: new NatsServerOptions { JetStream = true });
        await using (var client = await NatsClient.ConnectAsync(cluster.Servers[0]))
        {
            string created = await client.AskJetStreamAsync("$JS.API.STREAM.CREATE.x", """{"name":"x","subjects":["x.>"],"num_replicas":3}""");
            Assert.Contains("\"did_create\":true", created, StringComparison.Ordinal);
            Assert.Contains("\"seq\":1", await client.AskJetStreamAsync("x.a", "before"), StringComparison.Ordinal);
        }

        var killed = await cluster.GetStreamLeaderAsync("x");
        await killed.KillAsync();
        var leader = await cluster.GetStreamLeaderAsync("x");

        Assert.NotSame(killed, leader);
        await using var survivor = await NatsClient.ConnectAsync(leader);
        Assert.Contains("\"seq\":2", await survivor.AskJetStreamAsync("x.a", "after"), StringComparison.Ordinal);

        await killed.RestartAsync();
        await cluster.WaitUntilWholeAsync();
        await cluster.GetStreamLeaderAsync("x");
        using var information = JsonDocument.Parse(await survivor.AskJetStreamAsync("$JS.API.STREAM.INFO.x"));
        Assert.Equal(2, information.RootElement.GetProperty("state").GetProperty("messages").GetInt32());
        Assert.Contains(information.RootElement.GetProperty("cluster").GetProperty("replicas").EnumerateArray(), replica => replica.GetProperty("name").GetString() == killed.Name);
    }

    [Fact]
    public async Task Members_share_one_authority()
    {
        await using var cluster = await NatsCluster.StartAsync(2, new NatsServerOptions { Tls = NatsTls.Mutual });
        var files = cluster.Certificates!;
        var options = NatsOpts.Default with
        {
            TlsOpts = new NatsTlsOpts { CaFile = files.AuthorityFile, CertFile = files.ClientFile, KeyFile = files.ClientKeyFile },
        };

        foreach (var member in cluster.Servers)
        {
            await using var client = await NatsClient.ConnectAsync(member, options);
            await client.PingAsync(Stop);
        }
    }
}
