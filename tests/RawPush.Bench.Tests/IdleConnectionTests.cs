using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using RawPush.Server.Connections;

namespace RawPush.Bench.Tests;

/// <summary>The heap is the process's: while it is measured nothing else may run.</summary>
[CollectionDefinition(nameof(TheWholeHeap), DisableParallelization = true)]
public sealed class TheWholeHeap;

/// <summary>What an idle connection keeps on the managed heap, with the pipes it came on, which stand for those of Kestrel's sockets.</summary>
[Collection(nameof(TheWholeHeap))]
public sealed class IdleConnectionTests
{
    public static readonly string[] Names = ["IdleWebSocketConnection", "IdleEventStreamConnection"];

    private const int Connections = 1000;

    [Theory]
    [InlineData("IdleWebSocketConnection", "GET /channels/news HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")]
    [InlineData("IdleEventStreamConnection", "GET /channels/news HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\n\r\n")]
    public async Task An_idle_connection_keeps_its_budget(string name, string head)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddRawPush();
        await using var app = builder.Build();
        var middleware = app.Services.GetRequiredService<PushConnectionMiddleware>();

        // The first ones pay for what is made once.
        var warm = await OpenAsync(middleware, head, 100);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var connections = await OpenAsync(middleware, head, Connections);
        long each = (GC.GetTotalMemory(forceFullCollection: true) - before) / Connections;

        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {each} bytes");
        Assert.InRange(each, 1, Budgets.All[name]);
        GC.KeepAlive(warm);
        GC.KeepAlive(connections);
    }

    private static async Task<List<Connection>> OpenAsync(PushConnectionMiddleware middleware, string head, int count)
    {
        var connections = new List<Connection>(count);
        for (int i = 0; i < count; i++)
        {
            var connection = new Connection();
            connections.Add(connection);
            _ = middleware.OnConnectionAsync(connection.Context, _ => Task.CompletedTask, PushListener.Public);
            await connection.ClientOutput.WriteAsync(Encoding.ASCII.GetBytes(head), TestContext.Current.CancellationToken);
            var answer = await connection.ClientInput.ReadAsync(TestContext.Current.CancellationToken);
            connection.ClientInput.AdvanceTo(answer.Buffer.End);
        }

        return connections;
    }

    private sealed class Connection
    {
        public Connection()
        {
            var up = new Pipe();
            var down = new Pipe();
            ClientOutput = up.Writer;
            ClientInput = down.Reader;
            Context = new DefaultConnectionContext("budget", new Duplex(up.Reader, down.Writer), new Duplex(down.Reader, up.Writer));
        }

        public PipeWriter ClientOutput { get; }

        public PipeReader ClientInput { get; }

        public DefaultConnectionContext Context { get; }
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
