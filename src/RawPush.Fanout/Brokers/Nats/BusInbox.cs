using System.Buffers;
using System.Threading.Channels;

namespace RawPush.Fanout.Brokers.Nats;

/// <summary>Something that has come from NATS: a message, or the news that some were lost.</summary>
/// <param name="Subject">Where it was published. Of a loss: where; null for all that is listened to.</param>
/// <param name="Bytes">Its header block, if it has one, and then its payload. Null for a loss.</param>
/// <param name="HeaderBytes">How many of them are the header block's.</param>
/// <param name="By">The subscription that it came by.</param>
/// <param name="At">When, by the time provider's timestamps.</param>
internal readonly record struct BusDelivery(string? Subject, byte[]? Bytes, int HeaderBytes, object? By, long At = 0)
{
    /// <summary>Its header block, if it has one.</summary>
    public ReadOnlyMemory<byte> Headers => Bytes.AsMemory(0, HeaderBytes);

    /// <summary>What was published.</summary>
    public ReadOnlyMemory<byte> Payload => Bytes.AsMemory(HeaderBytes);
}

/// <summary>What has come from NATS, of all subscriptions and in the order of the connection, and is not in the logs yet.</summary>
/// <remarks>It has a limit. What comes beyond it is dropped and counted, and its place is marked; the connection's reader never waits, for NATS would cut it off.</remarks>
internal sealed class BusInbox(TimeProvider time)
{
    /// <summary>Messages that may wait.</summary>
    public const int MessagesMax = 65_536;

    /// <summary>Bytes that may wait.</summary>
    public const long BytesMax = 64 * 1024 * 1024;

    private readonly Channel<BusDelivery> _queue = Channel.CreateUnbounded<BusDelivery>(new UnboundedChannelOptions { SingleReader = true });
    private readonly HashSet<string> _marked = new(StringComparer.Ordinal);   // Subjects with a mark in the queue; its own lock.
    private bool _isAllMarked;
    private volatile bool _isCutOff;
    private long _bytes;
    private int _messages;
    private long _dropped;

    /// <summary>Messages that found no room, since the start. Any thread.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>The connection is lost: before the next thing that comes, whatever was listened to may have been missed.</summary>
    public void CutOff() => _isCutOff = true;

    /// <summary>It is back.</summary>
    public void Reconnect()
    {
        if (_isCutOff)
        {
            _isCutOff = false;
            Mark(null);
        }
    }

    /// <summary>Copies a message in. By the connection's reader: its buffers are only lent.</summary>
    public void Add(object by, string subject, in ReadOnlySequence<byte> headers, in ReadOnlySequence<byte> payload)
    {
        Reconnect();
        int size = (int)(headers.Length + payload.Length);
        if (Volatile.Read(ref _messages) >= MessagesMax || Interlocked.Read(ref _bytes) + size > BytesMax)
        {
            Interlocked.Increment(ref _dropped);
            Mark(subject);
            return;
        }

        byte[] bytes = GC.AllocateUninitializedArray<byte>(size);
        headers.CopyTo(bytes);
        payload.CopyTo(bytes.AsSpan((int)headers.Length));
        Interlocked.Increment(ref _messages);
        Interlocked.Add(ref _bytes, size);
        _queue.Writer.TryWrite(new BusDelivery(subject, bytes, (int)headers.Length, by, time.GetTimestamp()));
    }

    /// <summary>Notes a loss at this place, once until it is taken out; of too many subjects as one of all.</summary>
    public void Mark(string? subject)
    {
        lock (_marked)
        {
            bool isAll = subject is null || _marked.Count >= MessagesMax;
            if (isAll ? _isAllMarked : !_marked.Add(subject!))
            {
                return;
            }

            _isAllMarked |= isAll;
            _queue.Writer.TryWrite(new BusDelivery(isAll ? null : subject, null, 0, null));
        }
    }

    /// <summary>Takes the oldest. False: there is none at the moment.</summary>
    public bool TryTake(out BusDelivery delivery)
    {
        if (!_queue.Reader.TryRead(out delivery))
        {
            return false;
        }

        if (delivery.Bytes is null)
        {
            Unmark(delivery.Subject);
        }
        else
        {
            Interlocked.Decrement(ref _messages);
            Interlocked.Add(ref _bytes, -delivery.Bytes.Length);
        }

        return true;
    }

    /// <summary>Ends when there is something to take.</summary>
    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) => _queue.Reader.WaitToReadAsync(cancellationToken);

    private void Unmark(string? subject)
    {
        lock (_marked)
        {
            if (subject is null)
            {
                _isAllMarked = false;
            }
            else
            {
                _marked.Remove(subject);
            }
        }
    }
}
