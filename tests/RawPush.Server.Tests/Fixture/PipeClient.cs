using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;
using RawPush.Server.Connections;

namespace RawPush.Server.Tests.Fixture;

/// <summary>A client in memory, straight at the connection middleware: nothing is on its way when the shards have settled, so fake time and cuts are exact.</summary>
internal sealed class PipeClient : IAsyncDisposable
{
    // Small, so that a client that does not read blocks the server soon.
    private static readonly PipeOptions Options = new(
        readerScheduler: PipeScheduler.Inline,
        writerScheduler: PipeScheduler.Inline,
        pauseWriterThreshold: 64 * 1024,
        resumeWriterThreshold: 32 * 1024,
        useSynchronizationContext: false);

    private readonly PushHost _host;
    private readonly Pipe _toServer = new(Options);
    private readonly Pipe _toClient = new(Options);
    private readonly DefaultConnectionContext _connection;
    private readonly List<byte> _received = [];

    private PipeClient(PushHost host, PushListener listener)
    {
        _host = host;
        _connection = new DefaultConnectionContext("in-memory", new Pair(_toServer.Reader, _toClient.Writer), new Pair(_toClient.Reader, _toServer.Writer));
        Served = ServeAsync(listener);
    }

    /// <summary>Ends when the middleware has let go of the connection.</summary>
    public Task Served { get; }

    /// <summary>The server has cut the connection.</summary>
    public bool IsCut => _connection.ConnectionClosed.IsCancellationRequested;

    /// <summary>Ends when the server has cut the connection. Cutting is work for another thread, which may come after all else.</summary>
    public Task WaitForCutAsync() => Task.Delay(Timeout.Infinite, _connection.ConnectionClosed).ContinueWith(static _ => { }, TaskScheduler.Default).WaitAsync(Patience.Token);

    /// <summary>What the middleware after ours was given to read first; null if the connection did not get there.</summary>
    public string? HandedOn { get; private set; }

    /// <summary>Everything that has come so far.</summary>
    public byte[] Received
    {
        get
        {
            while (_toClient.Reader.TryRead(out var result))
            {
                _received.AddRange(result.Buffer.ToArray());
                _toClient.Reader.AdvanceTo(result.Buffer.End);
                if (result.Buffer.IsEmpty)
                {
                    break;
                }
            }

            return [.. _received];
        }
    }

    public string ReceivedText => Encoding.UTF8.GetString(Received);

    public static PipeClient Connect(PushHost host, PushListener? listener = null) => new(host, listener ?? PushListener.Public);

    /// <summary>A client whose head was answered; what has come up to now is forgotten.</summary>
    public static async Task<PipeClient> OpenAsync(PushHost host, string head)
    {
        var client = Connect(host);
        await client.SendAsync(head);
        Assert.Matches("^HTTP/1.1 (101|200) ", client.ReceivedText);
        client.Forget();
        return client;
    }

    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text));

    /// <summary>Sends, and ends when the server has dealt with it.</summary>
    public async Task SendAsync(byte[] bytes)
    {
        await _toServer.Writer.WriteAsync(bytes, Patience.Token);
        await _host.SettleAsync();
    }

    /// <summary>Sends without waiting; the task ends when the server has taken enough of it.</summary>
    public Task SendFreely(byte[] bytes) => _toServer.Writer.WriteAsync(bytes, Patience.Token).AsTask();

    /// <summary>Its connection breaks, and ends when the server has let go of it.</summary>
    public async Task BreakAsync(Exception exception)
    {
        await _toServer.Writer.CompleteAsync(exception);
        await Served.WaitAsync(Patience.Token);
    }

    public void Forget()
    {
        _ = Received;
        _received.Clear();
    }

    /// <summary>Reads until so much has come; this is what unblocks a server that waits for its client.</summary>
    public async Task<byte[]> ReceiveAsync(int count)
    {
        var patience = Patience.Token;
        while (Received.Length < count)
        {
            var result = await _toClient.Reader.ReadAsync(patience);
            _received.AddRange(result.Buffer.ToArray());
            _toClient.Reader.AdvanceTo(result.Buffer.End);
            Assert.False(result.IsCompleted && _received.Count < count, "The stream ended too early.");
        }

        return Received;
    }

    public async ValueTask DisposeAsync()
    {
        await _toServer.Writer.CompleteAsync();
        await _toClient.Reader.CompleteAsync();
        await Served.WaitAsync(Patience.Token);
    }

    private async Task ServeAsync(PushListener listener)
    {
        // As Kestrel's transport does: a connection that was cut reads no further.
        await using var onCut = _connection.ConnectionClosed.Register(() => _toServer.Writer.Complete(new ConnectionAbortedException()));
        await _host.Get<PushConnectionMiddleware>().OnConnectionAsync(_connection, RememberAsync, listener);
        await _toServer.Reader.CompleteAsync();
        await _toClient.Writer.CompleteAsync();
    }

    private async Task RememberAsync(ConnectionContext connection)
    {
        var result = await connection.Transport.Input.ReadAsync(Patience.Token);
        HandedOn = Encoding.UTF8.GetString(result.Buffer.ToArray());
        connection.Transport.Input.AdvanceTo(result.Buffer.End);
    }

    private sealed record Pair(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
