using RawPush.Fanout.Delivery;

namespace RawPush.Fanout.Tests.Delivery;

public sealed class ThreadPoolShardTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Work_from_any_thread_runs_one_piece_at_a_time_and_in_order()
    {
        const int Posters = 8;
        const int PiecesEach = 20_000;
        var shard = new ThreadPoolShard(0);
        int inside = 0;
        int overlaps = 0;
        int elsewhere = 0;
        int done = 0;   // not interlocked: the shard is the lock
        int[] last = new int[Posters];
        var finished = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var posters = Enumerable.Range(0, Posters).Select(poster => new Thread(() =>
        {
            for (int piece = 1; piece <= PiecesEach; piece++)
            {
                int number = piece;
                shard.Post(() => Run(poster, number));
            }
        })).ToArray();
        Array.ForEach(posters, poster => poster.Start());

        await finished.Task.WaitAsync(Patience, Stop);
        Array.ForEach(posters, poster => poster.Join());
        Assert.Equal((0, 0), (overlaps, elsewhere));
        Assert.All(last, number => Assert.Equal(PiecesEach, number));

        void Run(int poster, int number)
        {
            overlaps += Interlocked.Increment(ref inside) == 1 ? 0 : 1;
            elsewhere += shard.IsCurrent && last[poster] == number - 1 ? 0 : 1;
            last[poster] = number;
            Interlocked.Decrement(ref inside);
            if (++done == Posters * PiecesEach)
            {
                finished.SetResult();
            }
        }
    }

    [Fact]
    public async Task Work_that_posts_work_is_followed_by_it()
    {
        var shard = new ThreadPoolShard(0);
        var finished = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int left = 10_000;
        shard.Post(Again);
        await finished.Task.WaitAsync(Patience, Stop);
        Assert.Equal(0, left);

        void Again()
        {
            if (--left == 0)
            {
                finished.SetResult();
            }
            else
            {
                shard.Post(Again);
            }
        }
    }

    [Fact]
    public async Task A_switch_goes_to_the_shard_and_costs_nothing_when_already_there()
    {
        var shard = new ThreadPoolShard(0);
        var other = new ThreadPoolShard(1);
        Assert.False(shard.SwitchTo().IsCompleted);

        await shard.SwitchTo();
        Assert.True(shard.IsCurrent);
        Assert.True(shard.SwitchTo().IsCompleted);
        Assert.False(other.IsCurrent);
        int thread = Environment.CurrentManagedThreadId;
        await shard.SwitchTo();
        Assert.Equal(thread, Environment.CurrentManagedThreadId);

        await other.SwitchTo();
        Assert.True(other.IsCurrent);
        Assert.False(shard.IsCurrent);

        await Task.Yield();
        Assert.False(other.IsCurrent);
    }

    [Fact]
    public void A_switch_waits_for_the_shards_turn()
    {
        var shard = new ManualShard();
        var switched = SwitchAsync();
        Assert.False(switched.IsCompleted);
        shard.Turn();
        Assert.True(switched.IsCompletedSuccessfully);

        async Task SwitchAsync()
        {
            await shard.SwitchTo();
            Assert.True(shard.IsCurrent);
        }
    }

    [Fact]
    public void A_shard_is_current_during_its_turn_only()
    {
        var shard = new ManualShard();
        bool wasCurrent = false;
        Assert.False(shard.IsCurrent);
        shard.Do(() => wasCurrent = shard.IsCurrent);
        Assert.True(wasCurrent);
        Assert.False(shard.IsCurrent);
    }

    [Fact]
    public async Task A_delivery_that_nobody_waits_for_comes_all_the_same()
    {
        // A wake-up that is lost is lost for ever: the next message is published only when this one has come.
        var node = new Node(shards: 1);
        var shard = new ThreadPoolShard(0);
        var subscriber = new TestSubscriber(shard);
        using var arrived = new SemaphoreSlim(0);
        subscriber.OnWrite = _ => arrived.Release();
        await shard.SwitchTo();
        node.Join(subscriber, "a");
        await Task.Yield();

        for (int number = 1; number <= 20_000; number++)
        {
            node.PublishNumbers("a", number, number);
            Assert.True(await arrived.WaitAsync(Patience, Stop));
        }

        await shard.SwitchTo();
        Assert.Equal(Enumerable.Range(1, 20_000), subscriber.Numbers);
    }
}
