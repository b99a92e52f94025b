using System.Net;
using System.Net.Sockets;

namespace RawPush.TestKit.Nats;

/// <summary>Stands between a NATS server and one that connects to it, and can be cut.</summary>
public sealed class TcpRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int _target;
    private readonly Lock _lock = new();
    private readonly Task _accepting;
    private CancellationTokenSource _life = new();

    /// <param name="target">The port behind it.</param>
    public TcpRelay(int target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Closes every connection, and each new one as it comes.</summary>
    public void Cut()
    {
        lock (_lock)
        {
            _life.Cancel();
        }
    }

    public void Heal()
    {
        lock (_lock)
        {
            if (_life.IsCancellationRequested)
            {
                _life.Dispose();
                _life = new CancellationTokenSource();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        Cut();
        _listener.Stop();
        await _accepting;
        _life.Dispose();
    }

    private async Task AcceptAsync()
    {
        var relays = new List<Task>();
        try
        {
            while (true)
            {
                relays.Add(RelayAsync(await _listener.AcceptSocketAsync()));
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(relays);
        }
    }

    private async Task RelayAsync(Socket client)
    {
        using var near = client;
        using var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        near.NoDelay = true;
        using var end = EndWithLife();
        try
        {
            await far.ConnectAsync(IPAddress.Loopback, _target, end.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            // Cut, or nobody is there: whoever came is told by the close.
            return;
        }

        await Task.WhenAll(CarryAsync(near, far, end), CarryAsync(far, near, end));
    }

    private CancellationTokenSource EndWithLife()
    {
        lock (_lock)
        {
            return CancellationTokenSource.CreateLinkedTokenSource(_life.Token);
        }
    }

    private static async Task CarryAsync(Socket from, Socket to, CancellationTokenSource end)
    {
        byte[] buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, end.Token) is > 0 and int count)
            {
                for (int sent = 0; sent < count;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), end.Token);
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            // One of the two has gone, or the relay is cut.
        }
        finally
        {
            // No member says only half of a goodbye.
            await end.CancelAsync();
        }
    }
}
