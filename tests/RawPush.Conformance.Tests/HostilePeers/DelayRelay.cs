using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace RawPush.Conformance.Tests.HostilePeers;

/// <summary>A slow network: every chunk arrives late, in both directions, and in order.</summary>
internal sealed class DelayRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly int _target;
    private readonly TimeSpan _delay;
    private readonly Task _accepting;

    /// <param name="target">The port behind it.</param>
    /// <param name="delay">Each way.</param>
    public DelayRelay(int target, TimeSpan delay)
    {
        _target = target;
        _delay = delay;
        _listener.Start(512);
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var relays = new List<Task>();
        try
        {
            while (true)
            {
                relays.Add(RelayAsync(await _listener.AcceptSocketAsync(_end.Token)));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(relays);
        }
    }

    private async Task RelayAsync(Socket client)
    {
        using var near = client;
        using var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        near.NoDelay = true;
        try
        {
            await far.ConnectAsync(IPAddress.Loopback, _target, _end.Token);
            await Task.WhenAll(CarryAsync(near, far), CarryAsync(far, near));
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // One of the two has gone, or the test is over.
        }
    }

    private async Task CarryAsync(Socket from, Socket to)
    {
        var onTheWay = Channel.CreateUnbounded<(long DueMs, byte[] Bytes)>();
        var delivering = DeliverAsync(onTheWay.Reader, to);
        byte[] buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _end.Token) is > 0 and int count)
            {
                onTheWay.Writer.TryWrite((Environment.TickCount64 + (long)_delay.TotalMilliseconds, buffer[..count]));
            }
        }
        finally
        {
            onTheWay.Writer.Complete();
        }

        await delivering;
        to.Shutdown(SocketShutdown.Send);
    }

    private async Task DeliverAsync(ChannelReader<(long DueMs, byte[] Bytes)> onTheWay, Socket to)
    {
        await foreach (var (dueMs, bytes) in onTheWay.ReadAllAsync(_end.Token))
        {
            long wait = dueMs - Environment.TickCount64;
            if (wait > 0)
            {
                // The delay is what this class is for.
                await Task.Delay((int)wait, _end.Token);
            }

            await to.SendAsync(bytes, _end.Token);
        }
    }
}
