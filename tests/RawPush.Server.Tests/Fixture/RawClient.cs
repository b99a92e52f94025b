using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using RawPush.Protocol.WebSockets;

namespace RawPush.Server.Tests.Fixture;

/// <summary>A frame from the server.</summary>
internal sealed record ServerFrame(Opcode Opcode, bool IsFinal, byte[] Payload)
{
    /// <summary>RSV1, which says of a message that its payload is deflated (RFC 7692 section 6).</summary>
    public bool IsCompressed { get; init; }

    public string Text => Encoding.UTF8.GetString(Payload);

    /// <summary>The status of a Close frame; 0 if it has none.</summary>
    public int Status => Payload.Length == 0 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(Payload);

    /// <summary>The reason of a Close frame.</summary>
    public string Reason => Encoding.UTF8.GetString(Payload.AsSpan(Math.Min(2, Payload.Length)));
}

/// <summary>A client that sends exactly what it is told and reads exactly what comes.</summary>
internal sealed class RawClient : IAsyncDisposable
{
    private readonly TcpClient _tcp;
    private readonly NetworkStream _stream;
    private byte[] _buffer = new byte[4096];
    private int _start;
    private int _end;

    private RawClient(TcpClient tcp)
    {
        _tcp = tcp;
        _stream = tcp.GetStream();
    }

    public Socket Socket => _tcp.Client;

    /// <param name="port">The server's.</param>
    /// <param name="receiveBufferBytes">0 for the kernel's own size.</param>
    /// <param name="source">Which of this machine's addresses it comes from; null for 127.0.0.1.</param>
    public static async Task<RawClient> ConnectAsync(int port, int receiveBufferBytes = 0, string? source = null)
    {
        var tcp = new TcpClient(new IPEndPoint(source is null ? IPAddress.Any : IPAddress.Parse(source), 0)) { NoDelay = true };
        if (receiveBufferBytes > 0)
        {
            tcp.ReceiveBufferSize = receiveBufferBytes;
        }

        await tcp.ConnectAsync(IPAddress.Loopback, port, Patience.Token);
        return new RawClient(tcp);
    }

    public static async Task<RawClient> ConnectToPathAsync(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), Patience.Token);
        return new RawClient(new TcpClient { Client = socket });
    }

    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes) => await _stream.WriteAsync(bytes, Patience.Token);

    /// <summary>Everything up to the marker and with it.</summary>
    public async Task<string> ReadUntilAsync(string marker)
    {
        byte[] sought = Encoding.UTF8.GetBytes(marker);
        while (true)
        {
            int index = _buffer.AsSpan(_start, _end - _start).IndexOf(sought);
            if (index >= 0)
            {
                return Encoding.UTF8.GetString(Take(index + sought.Length));
            }

            Assert.True(await FillAsync(), $"The stream ended before '{marker}' came, after: {Encoding.UTF8.GetString(_buffer, _start, _end - _start)}");
        }
    }

    public Task<string> ReadHeadAsync() => ReadUntilAsync("\r\n\r\n");

    public async Task<byte[]> ReadExactlyAsync(int count)
    {
        while (_end - _start < count)
        {
            Assert.True(await FillAsync(), $"The stream ended {count - (_end - _start)} bytes too early.");
        }

        return Take(count);
    }

    /// <summary>Everything up to the end of the stream, which must be an orderly one.</summary>
    public async Task<byte[]> ReadToEndAsync()
    {
        while (await FillAsync())
        {
        }

        return Take(_end - _start);
    }

    public async Task<string> ReadTextToEndAsync() => Encoding.UTF8.GetString(await ReadToEndAsync());

    /// <summary>Reads until the connection is over, in whatever way.</summary>
    public async Task ReadUntilGoneAsync()
    {
        try
        {
            await ReadToEndAsync();
        }
        catch (IOException)
        {
            // A reset is an end as well.
        }
    }

    /// <summary>A frame from the server (RFC 6455 section 5.2), which must not be masked, and whose length must be in its shortest form.</summary>
    /// <param name="mayBeCompressed">permessage-deflate was agreed to, and this can be a message of a channel.</param>
    public async Task<ServerFrame> ReadFrameAsync(bool mayBeCompressed = false)
    {
        byte[] head = await ReadExactlyAsync(2);
        Assert.Equal(0, head[0] & (mayBeCompressed ? 0x30 : 0x70));
        Assert.Equal(0, head[1] & 0x80);
        int length = head[1] switch
        {
            126 => BinaryPrimitives.ReadUInt16BigEndian(await ReadExactlyAsync(2)),
            127 => checked((int)BinaryPrimitives.ReadUInt64BigEndian(await ReadExactlyAsync(8))),
            byte small => small,
        };
        Assert.Equal(length switch { <= 125 => length, <= 0xFFFF => 126, _ => 127 }, head[1]);
        return new ServerFrame((Opcode)(head[0] & 0x0F), (head[0] & 0x80) != 0, await ReadExactlyAsync(length)) { IsCompressed = (head[0] & 0x40) != 0 };
    }

    /// <summary>A response with a Content-Length, in chunks, or up to the end of the stream.</summary>
    public async Task<(string Head, string Body)> ReadResponseAsync()
    {
        string head = await ReadHeadAsync();
        if (head[9..12] is "204" or "304")
        {
            // Neither has a body, whatever else they say (RFC 9112 section 6.3).
            return (head, string.Empty);
        }

        if (FieldOf(head, "Content-Length") is { } length)
        {
            return (head, Encoding.UTF8.GetString(await ReadExactlyAsync(int.Parse(length, System.Globalization.CultureInfo.InvariantCulture))));
        }

        if (FieldOf(head, "Transfer-Encoding") is null)
        {
            return (head, await ReadTextToEndAsync());
        }

        var body = new StringBuilder();
        while (true)
        {
            int size = Convert.ToInt32((await ReadUntilAsync("\r\n")).Trim(), 16);
            body.Append(Encoding.UTF8.GetString(await ReadExactlyAsync(size)));
            await ReadUntilAsync("\r\n");
            if (size == 0)
            {
                return (head, body.ToString());
            }
        }
    }

    /// <summary>The value of a response field; null if it is not there.</summary>
    public static string? FieldOf(string head, string name) => head.Split("\r\n").Skip(1)
        .Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))
        .Select(line => line[(name.Length + 1)..].Trim())
        .SingleOrDefault();

    /// <summary>Vanishes: the server gets a reset.</summary>
    public void Reset()
    {
        _tcp.LingerState = new LingerOption(enable: true, seconds: 0);
        _tcp.Client.Close();
    }

    /// <summary>Ends its half of the stream and reads on.</summary>
    public void EndSending() => Socket.Shutdown(SocketShutdown.Send);

    public ValueTask DisposeAsync()
    {
        _tcp.Dispose();
        return ValueTask.CompletedTask;
    }

    private byte[] Take(int count)
    {
        byte[] taken = _buffer.AsSpan(_start, count).ToArray();
        _start += count;
        return taken;
    }

    private async Task<bool> FillAsync()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        int read = await _stream.ReadAsync(_buffer.AsMemory(_end), Patience.Token);
        _end += read;
        return read > 0;
    }
}
