using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RawPush.Bench.Tests;

/// <summary>The least that clients can resume on: a log per channel, five ways to read it, two to publish; and a lie to tell, for the swarm to find.</summary>
/// <remarks>Not a server: no limits, a task per connection, and every publish wakes everybody. Its streams end now and then, as a server's that restarts.</remarks>
internal sealed class ResumableServer : IDisposable
{
    private const string Epoch = "0a1";
    private const int LieEvery = 500;
    private const int StreamMessagesMax = 60;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Dictionary<string, Log> _logs = [];
    private readonly string? _lie;
    private readonly int _logEntriesMax;
    private TaskCompletionSource _published = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _sequence = 100;
    private int _untilLie = LieEvery;

    public ResumableServer(string? lie = null, int logEntriesMax = int.MaxValue)
    {
        _lie = lie;
        _logEntriesMax = logEntriesMax;
        _listener.Start(1000);
        _ = AcceptAllAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAllAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync());
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
            while (await Request.ReadAsync(reader) is { } request)
            {
                if (request.IsPublish)
                {
                    await WriteAsync(client, AnswerOf(200, string.Empty, Publish(request)));
                }
                else if (request.IsStream)
                {
                    await StreamAsync(client, request);
                    break;
                }
                else
                {
                    await WriteAsync(client, await PollAsync(request));
                }
            }
        }
        catch (IOException)
        {
            // The client has left in one of its ways.
        }

        client.Dispose();
    }

    private string Publish(Request request)
    {
        string[] lines = request.Channel is null ? request.Body.Split('\n', StringSplitOptions.RemoveEmptyEntries) : [request.Body];
        var answer = new StringBuilder();
        lock (_logs)
        {
            foreach (string line in lines)
            {
                // {"channel":"c1","data":"..."}
                string[] parts = line.Split('"');
                Append(request.Channel ?? parts[3], request.Channel is null ? parts[7] : line);
                answer.Append(CultureInfo.InvariantCulture, $$"""{"id":"{{Epoch}}-{{_sequence}}","subscribers":0}""").Append('\n');
            }

            _published.SetResult();
            _published = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return answer.ToString();
    }

    private void Append(string channel, string data)
    {
        var log = LogOf(channel);
        log.Add((++_sequence, data));
        if (log.Count > _logEntriesMax)
        {
            log.LastRemoved = log[0].Sequence;
            log.RemoveAt(0);
        }
    }

    private Log LogOf(string channel) => _logs.TryGetValue(channel, out var log) ? log : _logs[channel] = [];

    private async Task StreamAsync(TcpClient client, Request request)
    {
        string status = request.IsWebSocket ? "101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade" : "200 OK";
        await WriteAsync(client, $"HTTP/1.1 {status}\r\n\r\n");
        long position = request.After ?? Latest();
        for (int sent = 0; sent < StreamMessagesMax;)
        {
            var (items, changed) = Take(request.Channel!, ref position, int.MaxValue);
            await WriteAsync(client, string.Concat(items.Select(request.Framed)));
            sent += items.Count;
            await changed;
        }

        await WriteAsync(client, request.IsEvents ? "retry: 100\n\n" : string.Empty);
    }

    private async Task<string> PollAsync(Request request)
    {
        long position = request.After ?? Latest();
        var (items, changed) = Take(request.Channel!, ref position, 100);
        while (items.Count == 0 && request.Waits)
        {
            await changed;
            (items, changed) = Take(request.Channel!, ref position, 100);
        }

        string gaps = items.Exists(item => item.IsGap) ? $",\"gaps\":[{string.Join(',', items.Where(item => item.IsGap).Select(item => item.Json))}]" : string.Empty;
        string messages = string.Join(',', items.Where(item => !item.IsGap).Select(item => item.Json));
        string next = $"{Epoch}-{position}";
        return request.ETag == $"\"{next}\""
            ? $"HTTP/1.1 304 Not Modified\r\nETag: \"{next}\"\r\n\r\n"
            : AnswerOf(200, $"RawPush-Next: {next}\r\nETag: \"{next}\"\r\n", $$"""{"messages":[{{messages}}]{{gaps}},"next":"{{next}}"}""");
    }

    private long Latest()
    {
        lock (_logs)
        {
            return _sequence;
        }
    }

    private (List<Item> Items, Task Changed) Take(string channel, ref long position, int messagesMax)
    {
        lock (_logs)
        {
            var log = LogOf(channel);
            long after = position;
            var items = new List<Item>();
            if (after < log.LastRemoved)
            {
                items.Add(Item.Gap(channel, after, log.LastRemoved));
            }

            var entries = log.Where(entry => entry.Sequence > after).Take(messagesMax).ToList();
            items.AddRange(entries.Select(entry => Item.Message(channel, entry.Sequence, entry.Data)));
            position = entries.Count > 0 ? entries[^1].Sequence : position;
            Lie(items, channel, after);
            return (items, _published.Task);
        }
    }

    private void Lie(List<Item> items, string channel, long after)
    {
        if (_lie is null || (_untilLie -= items.Count) > 0 || items.Count == 0 || items.Exists(item => item.IsGap))
        {
            return;
        }

        _untilLie = LieEvery;
        switch (_lie)
        {
            case "drop":
                items.RemoveAt(0);
                break;
            case "repeat":
                items.Insert(0, items[0]);
                break;
            default:
                items.Insert(0, Item.Gap(channel, after, after + 1));
                break;
        }
    }

    private static string AnswerOf(int status, string fields, string body) => $"HTTP/1.1 {status} OK\r\n{fields}Content-Length: {body.Length}\r\n\r\n{body}";

    private static async Task WriteAsync(TcpClient client, string text) => await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(text));

    private sealed class Log : List<(long Sequence, string Data)>
    {
        public long LastRemoved { get; set; }
    }

    /// <summary>A message or a gap, as a poll's answer has it.</summary>
    private sealed record Item(bool IsGap, string Id, string Data, string Json)
    {
        public static Item Message(string channel, long sequence, string data) =>
            new(false, $"{Epoch}-{sequence}", data, $$"""{"channel":"{{channel}}","id":"{{Epoch}}-{{sequence}}","data":"{{data}}"}""");

        public static Item Gap(string channel, long from, long to) =>
            new(true, $"{Epoch}-{to}", string.Empty, $$"""{"channel":"{{channel}}","from":"{{Epoch}}-{{from}}","to":"{{Epoch}}-{{to}}","reason":"retention"}""");
    }

    private sealed record Request(string Line, string Head, string Body)
    {
        public bool IsPublish => Line.StartsWith("POST", StringComparison.Ordinal);

        public bool IsWebSocket => Head.Contains("Upgrade: websocket", StringComparison.Ordinal);

        public bool IsEvents => Head.Contains("text/event-stream", StringComparison.Ordinal);

        public bool IsStream => IsWebSocket || IsEvents || Head.Contains("x-ndjson", StringComparison.Ordinal);

        public bool Waits => Line.Contains("wait=", StringComparison.Ordinal);

        public string? Channel => Line.Split(' ')[1].Split('?')[0].Split('/') is [_, _, var name] ? name : null;

        public string? ETag => FieldOf("If-None-Match");

        public long? After => (FieldOf("Last-Event-ID") ?? Parameters.FirstOrDefault(part => part.StartsWith("after=", StringComparison.Ordinal))) is { } id
            ? long.Parse(id[(id.IndexOf('-', StringComparison.Ordinal) + 1)..], CultureInfo.InvariantCulture)
            : null;

        private string[] Parameters => Line.Split(' ')[1].Split('?', '&');

        public static async Task<Request?> ReadAsync(StreamReader reader)
        {
            string? line = await reader.ReadLineAsync();
            var head = new StringBuilder();
            while (line is not null && await reader.ReadLineAsync() is { Length: > 0 } field)
            {
                head.Append(field).Append('\n');
            }

            var request = line is null ? null : new Request(line, head.ToString(), string.Empty);
            if (request?.FieldOf("Content-Length") is not { } length)
            {
                return request;
            }

            char[] body = new char[int.Parse(length, CultureInfo.InvariantCulture)];
            await reader.ReadBlockAsync(body);
            return request with { Body = new string(body) };
        }

        public string Framed(Item item)
        {
            string envelope = item.IsGap ? $$"""{"gap":{{item.Json}}}""" : item.Json;
            if (IsWebSocket)
            {
                return $"\u0081\u007e{(char)(envelope.Length >> 8)}{(char)(envelope.Length & 255)}{envelope}";
            }

            return !IsEvents ? envelope + "\n" : item.IsGap ? $"event: rawpush.gap\nid: {item.Id}\ndata: {item.Json}\n\n" : $"id: {item.Id}\ndata: {item.Data}\n\n";
        }

        private string? FieldOf(string name) =>
            Head.Split('\n').FirstOrDefault(line => line.StartsWith(name + ":", StringComparison.Ordinal))?[(name.Length + 1)..].Trim();
    }
}
