using System.Buffers.Text;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Delivery;
using RawPush.Fanout.Formats;

namespace RawPush.Fanout.Tests.Delivery;

/// <summary>A subscriber on a real shard, from its join to its leave: remembers the sequences it saw, and blocks as the dice fall.</summary>
internal sealed class Life(Shard shard, int seed, ChannelFilter[] filters, int leavesAfter, bool mayBlock) : Subscriber(shard, WireFormat.ServerSentEvent)
{
    private readonly Random _random = new(seed);
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _start;
    private long _seenLast;
    private int _ends;
    private int _endsMax;
    private string? _trouble;

    /// <summary>The last message of each channel; who has seen those of all its channels is done.</summary>
    public static byte[] End => "end"u8.ToArray();

    public List<long> Seen { get; } = [];

    /// <summary>Where it stopped, for one that comes back.</summary>
    public long Last => Math.Max(_start, _seenLast);

    /// <summary>It has left, or has seen the end of its channels.</summary>
    public Task Done => _done.Task;

    /// <summary>Joins at the newest message, or behind one that it knows.</summary>
    public void Join(ChannelHub hub, ChannelName[] names, long? after = null)
    {
        _endsMax = names.Count(IsMine);
        long before = hub.Appended;
        var start = after is { } known ? StartPoint.After(new MessageId(hub.Broker.Epoch, known)) : StartPoint.Latest;
        Assert.True(TrySubscribe(hub, filters, start));
        _start = Position.Sequence;
        if (after is { } wanted)
        {
            Assert.Equal(Math.Min(wanted, _start), _start);
            Assert.True(_start == wanted || wanted > before, "Does not start where it was told to.");
            DeliverNow();
        }
        else
        {
            Assert.InRange(_start, before, hub.Watermark);
        }
    }

    /// <summary>Of each of its channels, it saw all from its start to its leave, once, in the order of the stream.</summary>
    /// <param name="channelOf">The channel of each sequence.</param>
    public void AssertWhole(ChannelName[] channelOf)
    {
        Assert.Null(_trouble);
        bool isWhole = _ends == _endsMax;
        long last = isWhole ? channelOf.Length - 1 : Seen.LastOrDefault();
        var expected = new List<long>();
        for (long sequence = _start + 1; sequence <= last; sequence++)
        {
            if (IsMine(channelOf[sequence]))
            {
                expected.Add(sequence);
            }
        }

        Assert.Equal(expected, Seen);
    }

    protected override int Write(ReadOnlySpan<byte[]> forms)
    {
        int taken = mayBlock && _random.Next(3) == 0 ? _random.Next(forms.Length + 1) : forms.Length;
        foreach (byte[] form in forms[..taken])
        {
            See(form);
        }

        if (Seen.Count >= leavesAfter || _ends == _endsMax)
        {
            Unsubscribe();
            _done.TrySetResult();
        }
        else if (taken < forms.Length)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static life => life.Shard.Post(life.Resume), this, preferLocal: false);
        }

        return taken;
    }

    protected override bool WriteGap(in GapNotice gap)
    {
        Fail($"gap {gap}");
        return true;
    }

    protected override void OnLagged(ChannelFilter filter) => Fail($"{filter} lagged");

    protected override void OnFault(Exception exception) => Fail(exception.ToString());

    private bool IsMine(ChannelName name) => filters.Any(filter => filter.Matches(name));

    private void See(ReadOnlySpan<byte> form)
    {
        var id = form[..form.IndexOf((byte)'\n')];
        Assert.True(Utf8Parser.TryParse(id[(id.IndexOf((byte)'-') + 1)..], out long sequence, out _));
        Seen.Add(sequence);
        _seenLast = sequence;
        _ends += form.EndsWith("end\n\n"u8) ? 1 : 0;
    }

    private void Fail(string trouble)
    {
        _trouble ??= trouble;
        Unsubscribe();
        _done.TrySetResult();
    }
}
