using System.IO.Pipelines;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using RawPush.Server.Connections;
using RawPush.Swarm.Native;

namespace RawPush.Bench.Tests;

/// <summary>The heap is the process's: while it is measured nothing else may run.</summary>
[CollectionDefinition(nameof(TheWholeHeap), DisableParallelization = true)]
public sealed class TheWholeHeap;

/// <summary>What an idle connection keeps on the managed heap: on a socket of an event loop, and behind pipes, which stand for those of TLS and Kestrel's sockets.</summary>
[Collection(nameof(TheWholeHeap))]
public sealed class IdleConnectionTests
{
    public static readonly string[] Names = ["IdleWebSocketOnASocket", "IdleEventStreamOnASocket", "IdleWebSocketOnPipes", "IdleEventStreamOnPipes", "ParkedLongPollOnASocket"];

    private const int Connections = 5000;
    private const string WebSocketHead =
        "GET /channels/news HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

    private const string LongPollHead = "GET /channels/news?wait=300 HTTP/1.1\r\nHost: h\r\n\r\n";

    private const string EventStreamHead = "GET /channels/news HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\n\r\n";

    [Theory]
    [InlineData("IdleWebSocketOnASocket", WebSocketHead)]
    [InlineData("IdleEventStreamOnASocket", EventStreamHead)]
    [InlineData("ParkedLongPollOnASocket", LongPollHead)]
    public async Task An_idle_connection_on_a_socket_keeps_its_budget(string name, string head)
    {
        await using var host = await SwarmHost.StartAsync();
        // Clients are bare descriptors: both ends share this heap, and it is the server's that is measured.
        int[] clients = new int[Connections + 100];
        byte[] request = Encoding.ASCII.GetBytes(head);
        Open(host, clients.AsSpan(0, 100), request);
        long before = LiveBytes();
        Open(host, clients.AsSpan(100), request);
        long each = (LiveBytes() - before) / Connections;

        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {each} bytes");
        Assert.InRange(each, 1, Budgets.All[name]);
        Array.ForEach(clients, Libc.Close);
    }

    [Theory]
    [InlineData("IdleWebSocketOnPipes", WebSocketHead)]
    [InlineData("IdleEventStreamOnPipes", EventStreamHead)]
    public async Task An_idle_connection_on_pipes_keeps_its_budget(string name, string head)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddRawPush();
        await using var app = builder.Build();
        var middleware = app.Services.GetRequiredService<PushConnectionMiddleware>();

        // The first ones pay for what is made once.
        var warm = await OpenAsync(middleware, head, 100);
        long before = LiveBytes();
        var connections = await OpenAsync(middleware, head, Connections);
        long each = (LiveBytes() - before) / Connections;

        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {each} bytes");
        Assert.InRange(each, 1, Budgets.All[name]);
        GC.KeepAlive(warm);
        GC.KeepAlive(connections);
    }

    /// <summary>What is on the heap and in use, without the holes between.</summary>
    internal static long LiveBytes()
    {
        for (int i = 0; i < 2; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        var info = GC.GetGCMemoryInfo(GCKind.Any);
        return info.HeapSizeBytes - info.FragmentedBytes;
    }

    private static void Open(SwarmHost host, Span<int> clients, byte[] request)
    {
        int count = host.Loops.Count + clients.Length;
        var server = new IPEndPoint(IPAddress.Loopback, host.Ports[0]);
        uint source = BitConverter.ToUInt32(IPAddress.Loopback.GetAddressBytes());
        foreach (ref int client in clients)
        {
            client = Libc.Connect(source, server);
            Assert.True(client > 0);
            while (Libc.Send(client, request) < 0)
            {
                Thread.Yield();   // not connected yet
            }
        }

        while (host.Loops.Count < count)
        {
            Thread.Yield();
        }
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
