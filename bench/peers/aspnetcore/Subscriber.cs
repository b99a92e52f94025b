using System.Net.WebSockets;

namespace AspNetCorePeer;

/// <summary>A client of a channel. Takes messages from any thread and writes them one after the other, as sockets and responses demand.</summary>
internal abstract class Subscriber
{
    /// <summary>Messages that may wait for a client that reads slowly; with one more it is cut off.</summary>
    private const int WaitingMax = 256;

    private readonly Lock _lock = new();
    private Task _last = Task.CompletedTask;
    private int _waiting;

    public void Send(Message message)
    {
        lock (_lock)
        {
            if (_last.IsCompleted)
            {
                _last = WriteAsync(message).AsTask();
            }
            else if (_waiting == WaitingMax)
            {
                Abort();
            }
            else
            {
                _waiting++;
                _last = WriteAfterAsync(_last, message);
            }
        }
    }

    protected abstract ValueTask WriteAsync(Message message);

    protected abstract void Abort();

    private async Task WriteAfterAsync(Task previous, Message message)
    {
        try
        {
            await previous;
            await WriteAsync(message);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }
}

internal sealed class WebSocketSubscriber(WebSocket socket) : Subscriber
{
    protected override ValueTask WriteAsync(Message message) =>
        socket.SendAsync(message.Text.AsMemory(), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    protected override void Abort() => socket.Abort();
}

internal sealed class EventStreamSubscriber(HttpContext context) : Subscriber
{
    protected override ValueTask WriteAsync(Message message)
    {
        var write = context.Response.BodyWriter.WriteAsync(message.Event);
        if (!write.IsCompletedSuccessfully)
        {
            return WriteAwaited(write.AsTask());
        }

        _ = write.Result;
        return default;
    }

    protected override void Abort() => context.Abort();

    private static async ValueTask WriteAwaited(Task write) => await write;
}
