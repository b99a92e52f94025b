using NATS.NKeys;
using RawPush.Fanout.Brokers.Nats;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit.Nats;

namespace RawPush.Server.Tests.Nodes;

/// <summary>The ways to prove to NATS who we are, and that it is NATS.</summary>
public sealed class CredentialsTests
{
    [Fact]
    public Task AUserWithAPassword() =>
        ConnectsAsync(new NatsServerOptions { User = "push", Password = "secret" }, (settings, _) => (settings.User, settings.Password) = ("push", "secret"));

    [Fact]
    public Task AToken() => ConnectsAsync(new NatsServerOptions { Token = "t0ken" }, (settings, _) => settings.Token = "t0ken");

    [Fact]
    public async Task AnNKey()
    {
        using var pair = KeyPair.CreatePair(PrefixByte.User);
        string file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, pair.GetSeed() + "\n", Patience.Token);
            await ConnectsAsync(new NatsServerOptions { UserKeys = [pair.GetPublicKey()] }, (settings, _) => settings.NKeyFile = file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task ACredentialsFile()
    {
        using var keys = new NatsOperator();
        await ConnectsAsync(keys.Server, (settings, _) => settings.CredentialsFile = keys.CredentialsFile);
    }

    [Fact]
    public async Task WhomNatsDoesNotLetInSaysSo_AndTriesAgain()
    {
        using var keys = new NatsOperator();
        using var others = new NatsOperator();
        await using var nats = await NatsServer.StartAsync(keys.Server);
        await using var node = await BusNodes.LaunchAsync(nats, settings => settings.CredentialsFile = others.CredentialsFile);
        var patience = Patience.Token;
        while (node.Bus().Trouble?.Contains("NATS said at 2", StringComparison.Ordinal) != true)
        {
            await Task.Delay(5, patience);
        }

        Assert.EndsWith(": Authorization Violation", node.Bus().Trouble, StringComparison.Ordinal);
        Assert.Contains("Authorization Violation", (await node.AskReadinessAsync()).Answer, StringComparison.Ordinal);
    }

    [Fact]
    public Task TlsWithCertificatesOnBothSides() => ConnectsAsync(new NatsServerOptions { Tls = NatsTls.Mutual }, (settings, nats) =>
    {
        settings.TlsCaFile = nats.Certificates!.AuthorityFile;
        settings.TlsCertificateFile = nats.Certificates.ClientFile;
        settings.TlsKeyFile = nats.Certificates.ClientKeyFile;
    });

    private static async Task ConnectsAsync(NatsServerOptions server, Action<NatsBrokerSettings, NatsServer> configure)
    {
        await using var nats = await NatsServer.StartAsync(server);
        await using var node = await PushHost.StartAsync(setup => setup.Options = options =>
        {
            options.Nats.Urls = nats.Url;
            configure(options.Nats, nats);
        });
        await node.WaitForBusAsync();
        await using var feed = await Feed.OpenAsync(node, FeedKind.Events, "a");
        await node.PublishAsync("a", "hello");
        Assert.Equal("hello", (await feed.NextAsync()).Data);
    }
}
