using System.Buffers.Text;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Delivery;
using RawPush.Fanout.Formats;

namespace RawPush.Fanout.Tests.Delivery;

/// <summary>A subscriber on a real shard, from its join to its leave: remembers the sequences it saw, and blocks as the dice fall.</summary>
internal sealed class Life(Shard shard, int seed, int[] channels, int leavesAfter, bool mayBlock) : Subscriber(shard, WireFormat.ServerSentEvent)
{
    private readonly Random _random = new(seed);
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _before;
    private long _joined;
    private int _ends;
    private string? _trouble;

    /// <summary>The last message of each channel; who has seen those of all its channels is done.</summary>
    public static byte[] End => "end"u8.ToArray();

    public List<long> Seen { get; } = [];

    /// <summary>It has left, or has seen the end of its channels.</summary>
    public Task Done => _done.Task;

    public void Join(ChannelHub hub, ChannelName[] names)
    {
        _before = hub.Watermark;
        foreach (int channel in channels)
        {
            Assert.True(TrySubscribe(hub, names[channel]));
        }

        // A sequence above it gets into its log after we joined, so we must see it.
        _joined = hub.Watermark;
    }

    /// <summary>Of each of its channels, it saw all from its join to its leave, once, in the order of the stream.</summary>
    /// <param name="channelOf">The channel of each sequence.</param>
    public void AssertWhole(int[] channelOf)
    {
        Assert.Null(_trouble);
        bool isWhole = _ends == channels.Length;
        long last = isWhole ? channelOf.Length - 1 : Seen.LastOrDefault();
        var expected = new List<long>();
        var firsts = channels.ToDictionary(channel => channel, channel => Seen.Find(sequence => channelOf[sequence] == channel));
        for (long sequence = 1; sequence <= last; sequence++)
        {
            // What was published between our first join and our last may be ours or not, but once it is, so is all that follows.
            if (firsts.TryGetValue(channelOf[sequence], out long first) && (sequence > _joined || (first > 0 && sequence >= first)))
            {
                expected.Add(sequence);
            }
        }

        Assert.Equal(expected, Seen);
        Assert.True(Seen.Count == 0 || Seen[0] >= _before, "Got a message from before its time.");
    }

    protected override int Write(ReadOnlySpan<byte[]> forms)
    {
        int taken = mayBlock && _random.Next(3) == 0 ? _random.Next(forms.Length + 1) : forms.Length;
        foreach (byte[] form in forms[..taken])
        {
            See(form);
        }

        if (Seen.Count >= leavesAfter || _ends == channels.Length)
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

    protected override void OnLagged(ChannelName channel) => Fail($"{channel} lagged");

    protected override void OnFault(Exception exception) => Fail(exception.ToString());

    private void See(ReadOnlySpan<byte> form)
    {
        var id = form[..form.IndexOf((byte)'\n')];
        Assert.True(Utf8Parser.TryParse(id[(id.IndexOf((byte)'-') + 1)..], out long sequence, out _));
        Seen.Add(sequence);
        _ends += form.EndsWith("end\n\n"u8) ? 1 : 0;
    }

    private void Fail(string trouble)
    {
        _trouble ??= trouble;
        Unsubscribe();
        _done.TrySetResult();
    }
}
