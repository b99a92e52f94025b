using System.Net.Sockets;
using System.Text.Json;
using NATS.Client.Core;
using NATS.NKeys;
using RawPush.TestKit.Nats;

namespace RawPush.Fanout.Tests.Brokers.Nats;

public sealed class NatsServerTests
{
    private static readonly KeyPair Key = KeyPair.CreatePair(PrefixByte.User);
    private static readonly KeyPair OtherKey = KeyPair.CreatePair(PrefixByte.User);

    public enum Door
    {
        Open,
        User,
        Token,
        NKey,
        Tls,
        MutualTls,
        UserOverTls,
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Door.Open)]
    [InlineData(Door.User)]
    [InlineData(Door.Token)]
    [InlineData(Door.NKey)]
    [InlineData(Door.Tls)]
    [InlineData(Door.MutualTls)]
    [InlineData(Door.UserOverTls)]
    public async Task A_message_passes_with_the_right_credentials(Door door)
    {
        await using var server = await NatsServer.StartAsync(Behind(door));
        await using var subscriber = await NatsClient.ConnectAsync(server, RightFor(door, server));
        await using var publisher = await NatsClient.ConnectAsync(server, RightFor(door, server));
        await using var subscription = await subscriber.SubscribedAsync("a.*");

        await publisher.PublishAsync("a.b", "through", cancellationToken: Stop);

        Assert.Equal("through", await subscription.NextAsync());
    }

    [Theory]
    [InlineData(Door.User, "authentication error")]
    [InlineData(Door.Token, "authentication error")]
    [InlineData(Door.NKey, "authentication error")]
    [InlineData(Door.Tls, "TLS handshake error")]
    [InlineData(Door.MutualTls, "client didn't provide a certificate")]
    [InlineData(Door.UserOverTls, "authentication error")]
    public async Task The_wrong_credentials_are_refused(Door door, string reason)
    {
        await using var server = await NatsServer.StartAsync(Behind(door));

        await Assert.ThrowsAnyAsync<NatsException>(async () => await NatsClient.ConnectAsync(server, WrongFor(door, server)));
        await server.StopAsync();

        Assert.Contains(reason, server.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_payload_may_be_as_large_as_the_options_say_and_no_larger()
    {
        await using var server = await NatsServer.StartAsync(new NatsServerOptions { PayloadBytesMax = 1000 });
        await using var client = await NatsClient.ConnectAsync(server);
        await using var subscription = await client.SubscribedAsync("a");

        await client.PublishAsync("a", new string('x', 1000), cancellationToken: Stop);

        Assert.Equal(1000, client.ServerInfo?.MaxPayload);
        Assert.Equal(1000, (await subscription.NextAsync())?.Length);
        await Assert.ThrowsAnyAsync<NatsException>(async () => await client.PublishAsync("a", new string('x', 1001), cancellationToken: Stop));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_restart_keeps_the_port_and_what_was_stored(bool isKilled)
    {
        await using var server = await NatsServer.StartAsync(new NatsServerOptions { JetStream = true });
        string url = server.Url;
        await using (var before = await NatsClient.ConnectAsync(server))
        {
            await before.AskJetStreamAsync("$JS.API.STREAM.CREATE.x", """{"name":"x","subjects":["x.>"]}""");
            Assert.Contains("\"seq\":1", await before.AskJetStreamAsync("x.a", "kept"), StringComparison.Ordinal);
        }

        int earlier = server.ProcessId;
        await (isKilled ? server.KillAsync() : server.StopAsync());
        using (var early = new TcpClient())
        {
            var refusal = await Assert.ThrowsAsync<SocketException>(async () => await early.ConnectAsync("127.0.0.1", server.Port, Stop));
            Assert.Equal(SocketError.ConnectionRefused, refusal.SocketErrorCode);
        }

        await server.RestartAsync();

        Assert.NotEqual(earlier, server.ProcessId);
        Assert.Equal(url, server.Url);
        await using var after = await NatsClient.ConnectAsync(server);
        using var stored = JsonDocument.Parse(await after.AskJetStreamAsync("$JS.API.STREAM.INFO.x"));
        Assert.Equal(1, stored.RootElement.GetProperty("state").GetProperty("messages").GetInt32());
    }

    [Fact]
    public async Task A_server_that_runs_is_stopped_before_it_starts_again()
    {
        await using var server = await NatsServer.StartAsync();
        int earlier = server.ProcessId;

        await server.PauseAsync();
        await server.RestartAsync();

        Assert.True(server.IsResponding);
        Assert.False(IsRunning(earlier));
    }

    [Fact]
    public async Task A_paused_server_keeps_its_clients_and_answers_when_it_goes_on()
    {
        await using var server = await NatsServer.StartAsync();
        await using var client = await NatsClient.ConnectAsync(server);

        await server.PauseAsync();
        Assert.False(server.IsResponding);
        Assert.Equal('T', StateOf(server.ProcessId));
        var ping = client.PingAsync(Stop).AsTask();
        Assert.False(ping.IsCompleted);
        await server.ContinueAsync();

        Assert.True(server.IsResponding);
        Assert.NotEqual('T', StateOf(server.ProcessId));
        await ping.WaitAsync(NatsClient.Patience, Stop);
        Assert.Equal(NatsConnectionState.Open, client.ConnectionState);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Nothing_is_left_of_a_server_that_was_disposed(bool isPaused)
    {
        var server = await NatsServer.StartAsync(new NatsServerOptions { JetStream = true, Tls = NatsTls.Server });
        string folder = Path.GetDirectoryName(server.Certificates!.AuthorityFile)!;
        int process = server.ProcessId;
        Assert.True(IsRunning(process));
        Assert.True(Directory.Exists(folder));
        if (isPaused)
        {
            await server.PauseAsync();
        }

        await server.DisposeAsync();

        Assert.False(IsRunning(process));
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task A_server_that_cannot_start_says_why()
    {
        var options = new NatsServerOptions { More = "no_such_thing: 1" };

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => NatsServer.StartAsync(options));

        Assert.Contains("no_such_thing", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Monitoring_shows_who_is_subscribed_to_what()
    {
        await using var server = await NatsServer.StartAsync();
        await using var client = await NatsClient.ConnectAsync(server);
        await using var subscription = await client.SubscribedAsync("a.b");

        var connection = Assert.Single((await server.MonitorAsync("/connz?subs=1", Stop)).GetProperty("connections").EnumerateArray());

        Assert.Contains("a.b", connection.GetProperty("subscriptions_list").EnumerateArray().Select(subject => subject.GetString()));
    }

    private static NatsServerOptions Behind(Door door) => door switch
    {
        Door.User => new() { User = "ann", Password = "a \"secret\" \\" },
        Door.Token => new() { Token = "a token" },
        Door.NKey => new() { UserKeys = [Key.GetPublicKey()] },
        Door.Tls => new() { Tls = NatsTls.Server },
        Door.MutualTls => new() { Tls = NatsTls.Mutual },
        Door.UserOverTls => new() { Tls = NatsTls.Server, User = "ann", Password = "secret" },
        _ => new(),
    };

    private static NatsOpts RightFor(Door door, NatsServer server)
    {
        var trusting = new NatsTlsOpts { CaFile = server.Certificates?.AuthorityFile };
        return door switch
        {
            Door.User => With(new() { Username = "ann", Password = "a \"secret\" \\" }),
            Door.Token => With(new() { Token = "a token" }),
            Door.NKey => With(new() { NKey = Key.GetPublicKey(), Seed = Key.GetSeed() }),
            Door.Tls => With(tls: trusting),
            Door.MutualTls => With(tls: trusting with { CertFile = server.Certificates!.ClientFile, KeyFile = server.Certificates.ClientKeyFile }),
            Door.UserOverTls => With(new() { Username = "ann", Password = "secret" }, trusting),
            _ => NatsOpts.Default,
        };
    }

    private static NatsOpts WrongFor(Door door, NatsServer server)
    {
        var trusting = new NatsTlsOpts { CaFile = server.Certificates?.AuthorityFile };
        return door switch
        {
            Door.User => With(new() { Username = "ann", Password = "guessed" }),
            Door.Token => With(new() { Token = "guessed" }),
            Door.NKey => With(new() { NKey = OtherKey.GetPublicKey(), Seed = OtherKey.GetSeed() }),

            // This one trusts what the machine trusts.
            Door.Tls => With(),
            Door.MutualTls or Door.UserOverTls => With(tls: trusting),
            _ => throw new ArgumentOutOfRangeException(nameof(door), door, "Nobody is refused."),
        };
    }

    private static NatsOpts With(NatsAuthOpts? credentials = null, NatsTlsOpts? tls = null) =>
        NatsOpts.Default with { AuthOpts = credentials ?? NatsAuthOpts.Default, TlsOpts = tls ?? NatsTlsOpts.Default };

    private static bool IsRunning(int process) => Directory.Exists($"/proc/{process}");

    // proc(5): the state comes after the name, which stands in brackets.
    private static char StateOf(int process)
    {
        string line = File.ReadAllText($"/proc/{process}/stat");
        return line[line.LastIndexOf(')') + 2];
    }
}
