using System.Net;
using System.Net.Sockets;
using System.Text;
using RawPush.Swarm.Clients;
using RawPush.Swarm.Dialects;
using RawPush.Swarm.Resuming.Reading;

namespace RawPush.Swarm.Bus;

/// <summary>A node's client on one WebSocket, of any number of channels, that finds the load's payloads and answers pings.</summary>
/// <remarks>Read with .NET's asynchronous sockets, as the NATS client library reads its own: neither of the two that are compared has a faster receiver.</remarks>
internal sealed class WebSocketReader : IDisposable
{
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromMinutes(2);

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly Action<Payload> _onPayload;
    private FrameSkimmer _skimmer;
    private PayloadScanner _scanner;
    private Task _reading = Task.CompletedTask;

    private WebSocketReader(Action<Payload> onPayload) => _onPayload = onPayload;

    /// <summary>Subscribes. The task ends when the node has agreed, which it does when NATS has heard of the channels.</summary>
    /// <param name="port">The node's public one, on the loopback.</param>
    /// <param name="channels">As they stand in the address.</param>
    /// <param name="onPayload">Told of each message, by one thread at a time.</param>
    public static async Task<WebSocketReader> OpenAsync(int port, string channels, Action<Payload> onPayload)
    {
        var reader = new WebSocketReader(onPayload);
        await reader.ShakeHandsAsync(port, channels);
        reader._reading = reader.ReadAsync();
        return reader;
    }

    public void Dispose()
    {
        _socket.Dispose();
        _reading.GetAwaiter().GetResult();
    }

    private async Task ShakeHandsAsync(int port, string channels)
    {
        using var patience = new CancellationTokenSource(HandshakeTimeout);
        await _socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), patience.Token);
        string request = $"GET /channels/{channels} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        await _socket.SendAsync(Encoding.ASCII.GetBytes(request), SocketFlags.None, patience.Token);
        int length = 0;
        do
        {
            int count = await _socket.ReceiveAsync(_buffer.AsMemory(length), SocketFlags.None, patience.Token);
            length += count > 0 ? count : throw new InvalidOperationException("a node closed a WebSocket instead of opening it");
        }
        while (!TryTakeHead(_buffer.AsSpan(0, length)));
    }

    private bool TryTakeHead(ReadOnlySpan<byte> bytes)
    {
        if (!HttpHead.TryRead(bytes, out var head))
        {
            return false;
        }

        if (head.Status != 101)
        {
            throw new InvalidOperationException($"a node answered a WebSocket with {head.Status}");
        }

        Take(bytes[head.Length..]);
        return true;
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _socket.ReceiveAsync(_buffer, SocketFlags.None) is var count and > 0)
            {
                Take(_buffer.AsSpan(0, count));
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Closed by the node, or by us. What has not come is missed in the counts.
        }
    }

    private void Take(ReadOnlySpan<byte> bytes)
    {
        var sink = new Sink(this);
        _skimmer.Feed(bytes, ref sink);
    }

    private readonly struct Sink(WebSocketReader reader) : IFrameSink, IPayloadSink
    {
        public void OnData(ReadOnlySpan<byte> piece)
        {
            var sink = this;
            reader._scanner.Feed(piece, ref sink);
        }

        public void OnDeflated(ReadOnlySpan<byte> payload) => throw new InvalidOperationException("a node deflated what was not to be deflated");

        public void OnControl(byte opcode, ReadOnlySpan<byte> payload)
        {
            if (opcode == 9)
            {
                reader._socket.Send(ClientFrame.Make(ClientFrame.Pong, payload));
            }
        }

        public void OnPayload(in Payload payload) => reader._onPayload(payload);
    }
}
