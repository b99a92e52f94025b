using System.Diagnostics.Metrics;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Delivery;
using RawPush.Fanout.Publishing;
using RawPush.Server.Connections;
using RawPush.Server.Hosting;
using RawPush.Server.Http;
using RawPush.Server.Messages;

namespace RawPush.Server.Tests.Fixture;

/// <summary>What a test wants different of its host.</summary>
internal sealed class PushHostSetup
{
    /// <summary>Changes to the settings. Two shards on any free ports is what they are before.</summary>
    public Action<RawPushOptions>? Options { get; set; }

    /// <summary>Fake time, which the test moves; null for the real one.</summary>
    public FakeTimeProvider? Time { get; set; }

    public Action<IServiceCollection>? Services { get; set; }

    /// <summary>Listeners besides the two of the settings.</summary>
    public Action<KestrelServerOptions>? Listeners { get; set; }

    /// <summary>Routes of the embedding application, besides <c>/hello</c>.</summary>
    public Action<WebApplication>? Routes { get; set; }

    public List<(string? Path, IClientMessageHandler Handler, int MessageBytesMax)> Handlers { get; } = [];
}

/// <summary>A push server in this process, with an echo at <c>/echo</c> and a route of ASP.NET Core at <c>/hello</c>.</summary>
internal sealed class PushHost : IAsyncDisposable
{
    public const string Hello = "hello from ASP.NET Core\n";
    public const int EchoBytesMax = 16 * 1024 * 1024;

    private readonly WebApplication _app;
    private readonly FakeTimeProvider? _time;

    private PushHost(WebApplication app, LogCollector logs, FakeTimeProvider? time)
    {
        _app = app;
        _time = time;
        Logs = logs;
        Metrics = new MetricCollector(app.Services.GetRequiredService<IMeterFactory>());
    }

    public LogCollector Logs { get; }

    public MetricCollector Metrics { get; }

    /// <summary>Where it listens: the public listener, the internal one, those of the test.</summary>
    public IReadOnlyList<string> Addresses { get; private set; } = [];

    public Uri Public { get; private set; } = null!;

    public Uri Internal { get; private set; } = null!;

    /// <summary>Over the internal listener.</summary>
    public HttpClient Http { get; private set; } = null!;

    public IPushPublisher Publisher => Get<IPushPublisher>();

    public static async Task<PushHost> StartAsync(Action<PushHostSetup>? configure = null)
    {
        var setup = new PushHostSetup();
        configure?.Invoke(setup);
        var logs = new LogCollector();
        var host = new PushHost(Build(setup, logs), logs, setup.Time);
        await host._app.StartAsync(Patience.Token);
        host.Addresses = [.. host.Get<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses];
        (host.Public, host.Internal) = (new Uri(host.Addresses[0]), new Uri(host.Addresses[1]));
        host.Http = new HttpClient { BaseAddress = host.Internal };
        return host;
    }

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    /// <summary>An address for <see cref="ClientWebSocket"/>.</summary>
    public Uri WebSocketUri(string pathAndQuery) => new($"ws://{Public.Authority}{pathAndQuery}");

    public Task<RawClient> ConnectAsync(Uri? listener = null) => RawClient.ConnectAsync((listener ?? Public).Port);

    /// <summary>A raw WebSocket client that has shaken hands.</summary>
    public async Task<RawClient> UpgradeAsync(string target, string fields = "")
    {
        var client = await ConnectAsync();
        await client.SendAsync(Heads.Upgrade(target, fields));
        string head = await client.ReadHeadAsync();
        Assert.StartsWith("HTTP/1.1 101 ", head, StringComparison.Ordinal);
        return client;
    }

    /// <summary>A raw reader of events, behind the response head.</summary>
    public async Task<RawClient> OpenEventsAsync(string target)
    {
        var client = await ConnectAsync();
        await client.SendAsync(Heads.Events(target));
        string head = await client.ReadHeadAsync();
        Assert.StartsWith("HTTP/1.1 200 ", head, StringComparison.Ordinal);
        Assert.Equal($"id: {RawClient.FieldOf(head, "RawPush-Position")}\n\n", await client.ReadUntilAsync("\n\n"));
        return client;
    }

    public async Task<ClientWebSocket> OpenWebSocketAsync(string pathAndQuery, params string[] subprotocols)
    {
        var socket = new ClientWebSocket();
        foreach (string subprotocol in subprotocols)
        {
            socket.Options.AddSubProtocol(subprotocol);
        }

        await socket.ConnectAsync(WebSocketUri(pathAndQuery), Patience.Token);
        return socket;
    }

    public Task<PublishReceipt> PublishAsync(string channel, string text) => Publisher.PublishAsync(channel, text, Patience.Token).AsTask();

    /// <summary>Moves the fake time second by second, and waits each time until every shard has seen it.</summary>
    public async Task AdvanceAsync(TimeSpan time)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromSeconds(1))
        {
            _time!.Advance(TimeSpan.FromSeconds(1));
            await SettleAsync();
        }
    }

    /// <summary>Cuts every connection that there is, and none that comes afterwards.</summary>
    public Task CutAsync()
    {
        Get<ConnectionLoops>().Abort();
        return SettleAsync();
    }

    /// <summary>Ends when every shard has done what it had to do, and what followed from that.</summary>
    public async Task SettleAsync()
    {
        var loops = Get<ConnectionLoops>();
        var turns = new Task[Get<IOptions<RawPushOptions>>().Value.Shards];
        for (int i = 0; i < turns.Length; i++)
        {
            // One after the other, so that each shard of the round is asked once.
            turns[i] = SettleAsync(loops.Next().Shard);
        }

        await Task.WhenAll(turns).WaitAsync(Patience.Token);
    }

    private static Task SettleAsync(Shard shard)
    {
        var settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        // Deliveries come after posted work in a turn, and a read, its answer and the flush of that are a turn each.
        int turns = 4;
        void OnTurn()
        {
            if (--turns > 0)
            {
                shard.Post(OnTurn);
            }
            else
            {
                settled.SetResult();
            }
        }

        shard.Post(OnTurn);
        return settled.Task;
    }

    public Task StopAsync() => _app.StopAsync(Patience.Token);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
        Metrics.Dispose();
    }

    private static WebApplication Build(PushHostSetup setup, LogCollector logs)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(logs).SetMinimumLevel(LogLevel.Trace).AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        if (setup.Time is not null)
        {
            builder.Services.AddSingleton<TimeProvider>(setup.Time);
        }

        builder.Services.AddRawPush(options =>
        {
            options.Public = options.Internal = "127.0.0.1:0";
            options.Shards = 2;
            setup.Options?.Invoke(options);
        });
        builder.Services.AddClientMessageHandler<EchoHandler>("/echo", EchoBytesMax);
        foreach (var (path, handler, max) in setup.Handlers)
        {
            builder.Services.AddSingleton(new ClientMessageRoute(path, handler, max));
        }

        setup.Services?.Invoke(builder.Services);
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.ListenRawPush();
            setup.Listeners?.Invoke(kestrel);
        });
        var app = builder.Build();
        app.MapRawPush();
        app.MapRawPushHealth();
        app.MapLivePage();
        app.MapGet("/hello", context => context.Response.WriteAsync(Hello));
        setup.Routes?.Invoke(app);
        return app;
    }
}
