using System.Globalization;
using System.Text;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Delivery;
using RawPush.Fanout.Formats;

namespace RawPush.Fanout.Tests.Delivery;

/// <summary>Records what it is given. Can be told to take so many forms and then block, and to do something in the middle of a write.</summary>
internal sealed class TestSubscriber(Shard shard, WireFormat format = WireFormat.WebSocketRaw) : Subscriber(shard, format)
{
    public List<byte[]> Forms { get; } = [];

    /// <summary>How many forms each write was offered.</summary>
    public List<int> Writes { get; } = [];

    /// <summary>The gap notices that it took, and how many forms it had before each.</summary>
    public List<(GapNotice Gap, int At)> Gaps { get; } = [];

    public List<ChannelFilter> Lagged { get; } = [];

    public List<Exception> Faults { get; } = [];

    /// <summary>Forms and gap notices that it takes before it blocks.</summary>
    public int Room { get; set; } = int.MaxValue;

    /// <summary>Runs at the start of every write. What it throws comes out of the write.</summary>
    public Action<TestSubscriber>? OnWrite { get; set; }

    /// <summary>The payloads as text; every payload in these tests is shorter than 126 bytes, so its frame header has two.</summary>
    public string[] Texts => [.. Forms.Select(form => Encoding.UTF8.GetString(form.AsSpan(2)))];

    public int[] Numbers => [.. Texts.Select(text => int.Parse(text, CultureInfo.InvariantCulture))];

    /// <summary>Makes room and says so.</summary>
    public void TakeMore(int room = int.MaxValue)
    {
        Room = room;
        Resume();
    }

    public void TakeNow() => DeliverNow();

    protected override int Write(ReadOnlySpan<byte[]> forms)
    {
        Assert.False(IsBlocked, "A blocked subscriber was written to.");
        Assert.InRange(forms.Length, 1, EntryBatch.EntriesMax);
        Writes.Add(forms.Length);
        OnWrite?.Invoke(this);
        int taken = Math.Min(Room, forms.Length);
        Room -= Room == int.MaxValue ? 0 : taken;
        Forms.AddRange(forms[..taken]);
        return taken;
    }

    protected override bool WriteGap(in GapNotice gap)
    {
        Assert.False(IsBlocked, "A blocked subscriber was told of a gap.");
        if (Room == 0)
        {
            return false;
        }

        Room -= Room == int.MaxValue ? 0 : 1;
        Gaps.Add((gap, Forms.Count));
        return true;
    }

    protected override void OnLagged(ChannelFilter filter)
    {
        Lagged.Add(filter);
        Unsubscribe();
    }

    protected override void OnFault(Exception exception)
    {
        Faults.Add(exception);
        Unsubscribe();
    }
}
