using System.Globalization;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Formats;
using RawPush.Fanout.Tests.Delivery;

namespace RawPush.Fanout.Tests.Channels;

public sealed class MemoryBudgetTests
{
    private const int BudgetBytes = 1_000_000;
    private const int MessageBytes = 1_000;

    [Theory]
    [InlineData(0.80, false, 1, 1)]
    [InlineData(0.81, true, 14.0 / 15, 1)]
    [InlineData(0.90, true, 1.0 / 3, 1)]
    [InlineData(0.95, true, 0, 0.5)]
    [InlineData(1, true, 0, 0)]
    [InlineData(2, true, 0, 0)]
    public void History_shrinks_first_and_then_the_room_for_the_slow(double fullness, bool isShort, double history, double lag)
    {
        var budget = new MemoryBudget(BudgetBytes);
        budget.ReportConnections((long)(fullness * BudgetBytes / 2));
        budget.AddLogBytes((long)(fullness * BudgetBytes / 2));
        Assert.Equal((isShort, history, lag), (budget.IsShort, Math.Round(budget.HistoryShare, 6), Math.Round(budget.LagShare, 6)), (left, right) =>
            left.Item1 == right.Item1 && Math.Abs(left.Item2 - right.Item2) < 1e-5 && Math.Abs(left.Item3 - right.Item3) < 1e-5);
    }

    [Fact]
    public void Nothing_is_counted_any_more_when_everything_has_gone()
    {
        var node = new Node(new ChannelLimits
        {
            LogEntriesMax = 50,
            Namespaces =
            [
                new() { Pattern = ChannelFilter.Parse("state.*"), HistoryEntries = 20, LagPolicy = LagPolicy.Conflate },
                new() { Pattern = ChannelFilter.Parse("chat.*"), HistoryEntries = 20, HistoryAge = TimeSpan.FromMinutes(1) },
            ],
        });
        WireFormat[] formats = [.. Enum.GetValues<WireFormat>()];
        var subscribers = formats.Select(format => new TestSubscriber(node.Shard, format)).ToList();
        node.Shard.Do(() => subscribers.ForEach(subscriber => node.Join(subscriber, "state.1", "state.*", "chat.1", ">", "none")));
        var slow = node.SubscribeFrom(StartPoint.Latest, room: 3, "chat.1");
        for (int i = 0; i < 500; i++)
        {
            _ = node.Publish(i % 3 == 0 ? "state.1" : i % 3 == 1 ? "chat.1" : "none", $"{i}", new MessageTraits { Key = $"{i % 5}", Expires = i % 7 == 0 ? TimeSpan.FromSeconds(i % 11 + 1) : null });
            if (i % 10 == 0)
            {
                node.RunAll();
                node.Age(TimeSpan.FromSeconds(1));
            }
        }

        node.RunAll();
        Assert.Single(slow.Lagged);
        Assert.True(node.Hub.Budget.LogBytes > 0);
        subscribers.ForEach(node.Leave);
        Assert.True(node.Hub.Budget.LogBytes > 0);

        node.Age(TimeSpan.FromHours(1));
        Assert.Equal((0, 0, 0L), (node.Hub.ChannelCount, node.Hub.PatternCount, node.Hub.Budget.LogBytes));
    }

    [Fact]
    public void A_form_counts_from_its_encoding_to_the_end_of_its_entry()
    {
        var node = new Node(new ChannelNamespace { Pattern = ChannelFilter.Parse(">"), HistoryEntries = 1 });
        node.PublishNumbers("a", 1, 1);
        long before = node.Hub.Budget.LogBytes;
        var subscriber = new TestSubscriber(node.Shard, WireFormat.ServerSentEvent);
        node.Shard.Do(() => node.Join(subscriber, StartPoint.Earliest, "a"));
        Assert.Equal(before + subscriber.Forms[0].Length, node.Hub.Budget.LogBytes);
        node.Shard.Do(() => node.Join(new TestSubscriber(node.Shard, WireFormat.ServerSentEvent), StartPoint.Earliest, "a"));
        Assert.Equal(before + subscriber.Forms[0].Length, node.Hub.Budget.LogBytes);
        node.Leave(subscriber);
        node.PublishNumbers("b", 1, 1);
        node.PublishNumbers("a", 1, 1);
        Assert.Equal(2 * before, node.Hub.Budget.LogBytes);
    }

    [Fact]
    public void Under_pressure_the_large_namespace_shrinks_and_the_small_one_keeps_its_own()
    {
        var node = CreateSmallNode();
        PublishMany(node, "small.1", 50);
        long most = 0;
        for (int i = 0; i < 5_000; i++)
        {
            PublishMany(node, $"large.{i % 100}", 1);
            most = Math.Max(most, node.Hub.Budget.LogBytes);
            if (i % 200 == 0)
            {
                node.Hub.Sweep();
            }
        }

        node.Hub.Sweep();
        Assert.InRange(most, BudgetBytes / 2, BudgetBytes + MessageBytes + 300);
        Assert.Equal(50, node.Hub.Describe(ChannelName.Parse("small.1"))!.Entries);
        var large = node.Hub.List("", 1_000, ChannelFilter.Parse("large.*"));
        Assert.All(large, report => Assert.InRange(report.Entries, 1, 49));
        Assert.InRange(node.Hub.Budget.ShedEntries, 1, 5_000);
        Assert.Equal(5_000 - large.Sum(report => report.Entries), node.Hub.Budget.ShedEntries);
    }

    [Fact]
    public void Under_pressure_the_slow_meet_their_policy_and_the_quick_notice_nothing()
    {
        var node = CreateSmallNode();
        var slow = node.SubscribeFrom(StartPoint.Latest, room: 0, "live");
        var quick = node.SubscribeFrom(StartPoint.Latest, "live");
        var written = new List<int>();
        quick.OnWrite = subscriber => written.Add(subscriber.Writes[^1]);
        long most = 0;
        for (int i = 0; i < 2_000; i++)
        {
            PublishMany(node, "live", 1);
            node.RunAll();
            most = Math.Max(most, node.Hub.Budget.LogBytes);
        }

        Assert.InRange(most, 0, BudgetBytes + MessageBytes + 300);
        Assert.Single(slow.Lagged);
        Assert.Equal(2_000, quick.Forms.Count);
        Assert.All(written, count => Assert.Equal(1, count));
        Assert.Equal(Channel.OverheadBytes * node.Hub.ChannelCount, node.Hub.Budget.LogBytes);
    }

    private static Node CreateSmallNode() => new(new ChannelLimits
    {
        MemoryBudgetBytes = BudgetBytes,
        LogEntriesMax = 1_000_000,
        LogBytesMax = long.MaxValue,
        Namespaces =
        [
            new() { Pattern = ChannelFilter.Parse("small.*"), HistoryEntries = 50 },
            new() { Pattern = ChannelFilter.Parse("large.*"), HistoryEntries = 50, HistoryBytes = long.MaxValue },
        ],
    });

    private static void PublishMany(Node node, string channel, int count)
    {
        for (int i = 0; i < count; i++)
        {
            _ = node.Publish(channel, i.ToString(CultureInfo.InvariantCulture).PadLeft(MessageBytes, '0'));
        }
    }
}
