using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using RawPush.Swarm.Clients;

namespace RawPush.Swarm.Publishing;

/// <summary>One publisher: a connection of its own, messages to its channels in turn, at a steady rate.</summary>
/// <remarks>Each message carries when it was due, not when it was sent: if the server or this publisher falls behind, the latencies say so.</remarks>
internal sealed class Publisher(int number, string host, int port, PublishDialect dialect, Filling filling)
{
    private readonly List<byte> _output = [];
    private readonly List<byte> _reply = [];
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _unanswered;

    /// <summary>Messages published so far.</summary>
    public long Published { get; private set; }

    /// <summary>How late the last message was sent, in microseconds.</summary>
    public long LagMicros { get; private set; }

    /// <summary>Publishes for a time and waits for the last answers. Runs on a thread of its own.</summary>
    /// <param name="perSecond">Messages per second of this publisher, over all channels.</param>
    /// <param name="seconds">For how long.</param>
    /// <param name="share">The channels that get them in turn.</param>
    /// <param name="messageBytes">Length of each.</param>
    public void Run(double perSecond, double seconds, ChannelShare share, int messageBytes)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(host, port);
        socket.Send(dialect.Begin());
        byte[] payload = new byte[Math.Max(messageBytes, Payload.HeaderLength)];
        long started = Stopwatch.GetTimestamp();
        long total = (long)(perSecond * seconds);
        for (long sent = 0; sent < total;)
        {
            long due = started + (long)(sent / perSecond * Stopwatch.Frequency);
            WaitUntil(socket, due);
            long now = Stopwatch.GetTimestamp();
            while (sent < total && due <= now && HasRoom)
            {
                int channel = share.ChannelAt(sent);
                new Payload(number, channel, share.NumberAt(sent), due).WriteTo(payload, filling);
                dialect.Append(_output, $"c{channel}", payload);
                LagMicros = (now - due) * 1_000_000 / Stopwatch.Frequency;
                due = started + (long)(++sent / perSecond * Stopwatch.Frequency);
                _unanswered++;
            }

            Flush(socket);
            Published = sent;
        }

        while (dialect.WindowMax > 0 && _unanswered > 0)
        {
            TakeAnswers(socket, 1000);
        }
    }

    private bool HasRoom => dialect.WindowMax == 0 || _unanswered < dialect.WindowMax;

    private void WaitUntil(Socket socket, long due)
    {
        do
        {
            long micros = (due - Stopwatch.GetTimestamp()) / (Stopwatch.Frequency / 1_000_000);
            TakeAnswers(socket, (int)Math.Clamp(micros, 0, 100_000));
        }
        while (!HasRoom || Stopwatch.GetTimestamp() < due);
    }

    private void TakeAnswers(Socket socket, int waitMicros)
    {
        if (!socket.Poll(waitMicros, SelectMode.SelectRead))
        {
            return;
        }

        int count = socket.Receive(_buffer);
        if (count == 0)
        {
            throw new InvalidOperationException("the server closed a publisher's connection");
        }

        _unanswered -= dialect.CountAnswers(_buffer.AsSpan(0, count), _reply);
        _output.AddRange(_reply);
        _reply.Clear();
    }

    private void Flush(Socket socket)
    {
        dialect.EndTurn(_output);
        if (_output.Count > 0)
        {
            socket.Send(CollectionsMarshal.AsSpan(_output));
            _output.Clear();
        }
    }
}
