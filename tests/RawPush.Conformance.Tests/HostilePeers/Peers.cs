using System.Net;
using System.Net.Sockets;
using System.Text;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.HostilePeers;

/// <summary>Bare sockets by the thousand, from many addresses of the loopback network.</summary>
internal static class Peers
{
    private const int AtATime = 256;
    private const int Addresses = 200;

    /// <summary>As many as are asked for, many of them at the same moment.</summary>
    public static async Task<T[]> ManyAsync<T>(int count, Func<int, Task<T>> make)
    {
        var made = new T[count];
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = AtATime }, async (i, _) => made[i] = await make(i));
        return made;
    }

    public static async Task<Socket> ConnectAsync(int port, int number, int receiveBytes = 0)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBytes > 0)
        {
            socket.ReceiveBufferSize = receiveBytes;
        }

        socket.Bind(new IPEndPoint(new IPAddress([127, 0, 1, (byte)(1 + (number % Addresses))]), 0));
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), Patience.Token);
        return socket;
    }

    /// <summary>One whose request was taken, with its response head behind it.</summary>
    public static async Task<Socket> OpenAsync(int port, int number, string head, int receiveBytes = 0)
    {
        var socket = await ConnectAsync(port, number, receiveBytes);
        await socket.SendAsync(Encoding.ASCII.GetBytes(head), Patience.Token);
        byte[] answer = new byte[1024];
        int length = 0;
        do
        {
            int count = await socket.ReceiveAsync(answer.AsMemory(length), Patience.Token);
            Assert.True(count > 0, "The stream ended in the response head.");
            length += count;
        }
        while (answer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0);
        Assert.Matches("^HTTP/1.1 (101|200) ", Encoding.ASCII.GetString(answer, 0, length));
        return socket;
    }

    /// <summary>Everything up to the end, whatever kind of end that is.</summary>
    public static async Task<byte[]> ReadToEndAsync(Socket socket)
    {
        var received = new List<byte>();
        byte[] buffer = new byte[16 * 1024];
        var patience = Patience.Token;
        try
        {
            while (await socket.ReceiveAsync(buffer, patience) is > 0 and int count)
            {
                received.AddRange(buffer.AsSpan(0, count));
            }
        }
        catch (SocketException)
        {
            // A reset.
        }

        return [.. received];
    }

    public static async Task<byte[]> ReadExactlyAsync(Socket socket, int count)
    {
        byte[] bytes = new byte[count];
        for (int length = 0; length < count;)
        {
            int read = await socket.ReceiveAsync(bytes.AsMemory(length), Patience.Token);
            Assert.True(read > 0, $"The stream ended {count - length} bytes too early.");
            length += read;
        }

        return bytes;
    }

    /// <summary>Sends, unless the other side has had enough already.</summary>
    public static async Task<bool> TrySendAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            while (!bytes.IsEmpty)
            {
                bytes = bytes[await socket.SendAsync(bytes, Patience.Token)..];
            }

            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Vanishes with a reset.</summary>
    public static void Reset(Socket socket)
    {
        socket.LingerState = new LingerOption(enable: true, seconds: 0);
        socket.Dispose();
    }
}
