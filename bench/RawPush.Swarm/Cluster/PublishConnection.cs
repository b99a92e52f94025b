using System.Net;
using System.Net.Sockets;
using System.Text;
using RawPush.Swarm.Publishing;
using RawPush.Swarm.Resuming.Reading;

namespace RawPush.Swarm.Cluster;

/// <summary>What has become of one attempt to publish.</summary>
internal enum PublishFate
{
    /// <summary>It was answered with 2xx: whoever is owed this message must get it.</summary>
    Acknowledged,

    /// <summary>The node took nothing, or said that it published nothing: it may be tried again.</summary>
    Refused,

    /// <summary>The request had left, and no answer came, or one that does not know: it may come, once.</summary>
    Unknown,
}

/// <summary>How an attempt ended, and what was said.</summary>
internal readonly record struct PublishAnswer(PublishFate Fate, int Status, string Text);

/// <summary>One connection to a node's internal listener, over which one message at a time is published. It never tries anything twice by itself.</summary>
internal sealed class PublishConnection(int port) : IDisposable
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);

    private readonly byte[] _buffer = new byte[8192];
    private Socket? _socket;

    public async Task<bool> TryConnectAsync()
    {
        if (_socket is not null)
        {
            return true;
        }

        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            using var patience = new CancellationTokenSource(AnswerTimeout);
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), patience.Token);
            _socket = socket;
            return true;
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            socket.Dispose();
            return false;
        }
    }

    /// <summary>Publishes a message and waits for what the node says of it.</summary>
    /// <param name="channel">Where to.</param>
    /// <param name="payload">What.</param>
    /// <param name="key">Its idempotency key; null for none.</param>
    public async Task<PublishAnswer> PublishAsync(string channel, ReadOnlyMemory<byte> payload, string? key)
    {
        // A connection that the node has ended by itself must not make a message unknown.
        if (_socket is not null && _socket.Poll(0, SelectMode.SelectRead))
        {
            Close();
        }

        if (!await TryConnectAsync())
        {
            return new PublishAnswer(PublishFate.Refused, 0, "no connection");
        }

        string idempotency = key is null ? string.Empty : $"Idempotency-Key: {key}\r\n";
        string head = $"POST /channels/{channel} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: text/plain\r\n{idempotency}Content-Length: {payload.Length}\r\n\r\n";
        try
        {
            using var patience = new CancellationTokenSource(AnswerTimeout);
            await _socket!.SendAsync((byte[])[.. Encoding.ASCII.GetBytes(head), .. payload.Span], SocketFlags.None, patience.Token);
            return await ReceiveAsync(patience.Token);
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            Close();
            return new PublishAnswer(PublishFate.Unknown, 0, exception.Message);
        }
    }

    public void Dispose() => Close();

    private async Task<PublishAnswer> ReceiveAsync(CancellationToken cancellationToken)
    {
        int length = 0;
        while (true)
        {
            int count = length == _buffer.Length ? 0 : await _socket!.ReceiveAsync(_buffer.AsMemory(length), SocketFlags.None, cancellationToken);
            if (count == 0)
            {
                Close();
                return new PublishAnswer(PublishFate.Unknown, 0, "no whole answer");
            }

            length += count;
            if (TryReadAnswer(_buffer.AsSpan(0, length), out var answer, out bool closes))
            {
                if (closes)
                {
                    Close();
                }

                return answer;
            }
        }
    }

    private static bool TryReadAnswer(ReadOnlySpan<byte> bytes, out PublishAnswer answer, out bool closes)
    {
        answer = default;
        closes = true;
        if (!HttpHead.TryRead(bytes, out var head))
        {
            return false;
        }

        closes = head.Closes;
        if (!AnswerBody.TryRead(head, bytes[head.Length..], out string body, out _))
        {
            return false;
        }

        string text = body.Trim();
        answer = new PublishAnswer(FateOf(head.Status, text), head.Status, text);
        return true;
    }

    /// <summary>What has become of a message, by the answer. Both kinds of 503 have one status, and say in words which they are.</summary>
    internal static PublishFate FateOf(int status, string text) => status switch
    {
        >= 200 and <= 299 => PublishFate.Acknowledged,
        503 when !text.Contains("may have been published", StringComparison.Ordinal) => PublishFate.Refused,
        503 => PublishFate.Unknown,
        _ => throw new InvalidOperationException($"a publish was answered with {status}: {text}"),
    };

    private void Close()
    {
        _socket?.Dispose();
        _socket = null;
    }
}
