using RawPush.Fanout.Brokers;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Delivery;
using RawPush.Protocol;

namespace RawPush.Fanout.Tests.Delivery;

/// <summary>Publishers, shards and subscribers on real threads. What each subscriber saw is held against the whole stream afterwards.</summary>
public sealed class StressTests
{
    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 3)]
    [InlineData(3, 4)]
    public Task Subscribers_that_come_go_and_block_get_every_message_once_and_in_order(int seed, int shards) =>
        new Storm(seed, shards, new ChannelLimits { LogEntriesMax = 1_000_000 }, mayBlock: true).RunAsync();

    [Theory]
    [InlineData(4, 2, 1_000)]
    [InlineData(5, 3, 64)]
    [InlineData(6, 4, 1)]
    public Task Subscribers_that_never_block_are_never_cut_off_however_short_the_log(int seed, int shards, int logEntriesMax) =>
        new Storm(seed, shards, new ChannelLimits { LogEntriesMax = logEntriesMax }, mayBlock: false).RunAsync();

    [Theory]
    [InlineData(7, 2)]
    [InlineData(8, 3)]
    [InlineData(9, 4)]
    public Task Subscribers_that_resume_anywhere_find_no_seam_between_what_was_kept_and_what_comes(int seed, int shards) =>
        new Storm(seed, shards, new ChannelLimits { LogEntriesMax = 1_000_000, Namespaces = [Everything] }, mayBlock: true) { IsResuming = true }.RunAsync();

    private static ChannelNamespace Everything =>
        new() { Pattern = ChannelFilter.Parse(">"), HistoryEntries = 1_000_000, HistoryBytes = long.MaxValue, HistoryAge = TimeSpan.FromDays(1) };

    private sealed class Storm
    {
        private const int Publishers = 4;
        private const int MessagesEach = 3_000;
        private const int Clients = 40;

        private static readonly ChannelFilter[] Patterns = [ChannelFilter.Parse(">"), ChannelFilter.Parse("*"), ChannelFilter.Parse("*.*")];

        // Only a message that never comes would need it.
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

        private readonly int _seed;
        private readonly bool _mayBlock;
        private readonly InProcessBroker _broker = new(TimeProvider.System);
        private readonly ChannelHub _hub;
        private readonly ThreadPoolShard[] _shards;
        private readonly ChannelName[] _channels = [.. Enumerable.Range(0, 5).Select(i => ChannelName.Parse($"channel{i}"))];
        private readonly ChannelName[] _channelOf;
        private readonly TaskCompletionSource _everybodyIsThere = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _published = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _clientsThere;

        public Storm(int seed, int shards, ChannelLimits limits, bool mayBlock)
        {
            _seed = seed;
            _mayBlock = mayBlock;
            _hub = new ChannelHub(limits, _broker, shards);
            _broker.Attach(_hub);
            _shards = [.. Enumerable.Range(0, shards).Select(index => new ThreadPoolShard(index))];
            _channelOf = new ChannelName[1 + (Publishers * MessagesEach) + _channels.Length];
        }

        /// <summary>Clients come back where they stopped, or start anywhere, and subscribe to patterns as well.</summary>
        public bool IsResuming { get; init; }

        public async Task RunAsync()
        {
            var lives = await BlowAsync().WaitAsync(Patience, TestContext.Current.CancellationToken);

            Node.SweepPatterns(_hub);
            Assert.Equal((IsResuming ? _channels.Length : 0, 0), (_hub.ChannelCount, _hub.PatternCount));
            Assert.All(lives, life => life.AssertWhole(_channelOf));
            Assert.Contains(lives, life => life.Seen.Count > 1_000);
            Assert.True(lives.Length > Clients * (IsResuming ? 2 : 5));
        }

        private async Task<Life[]> BlowAsync()
        {
            var clients = Enumerable.Range(0, Clients).Select(number => Task.Run(() => LiveAsync(number))).ToArray();
            await _everybodyIsThere.Task;
            await Task.WhenAll(Enumerable.Range(0, Publishers).Select(number => Task.Run(() => PublishAsync(number))));
            _published.SetResult();
            var lives = (await Task.WhenAll(clients)).SelectMany(life => life).ToArray();
            for (int channel = 0; channel < _channels.Length; channel++)
            {
                await PublishAsync(channel, Life.End);
            }

            await Task.WhenAll(lives.Select(life => life.Done));
            return lives;
        }

        /// <summary>One subscriber after another, until everything is published; the last one stays.</summary>
        private async Task<List<Life>> LiveAsync(int number)
        {
            var random = new Random((_seed * 1_000) + number);
            var lives = new List<Life>();
            while (!_published.Task.IsCompleted)
            {
                // A quarter of the clients stay from the first message to the last.
                int leavesAfter = number % 4 == 0 ? int.MaxValue : random.Next(300);
                var channels = Choose(random);
                var life = new Life(_shards[random.Next(_shards.Length)], random.Next(), channels, leavesAfter, _mayBlock && random.Next(2) == 0);
                lives.Add(life);
                await life.Shard.SwitchTo();
                life.Join(_hub, _channels, IsResuming ? ChooseStart(random, lives) : null);
                if (lives.Count == 1 && Interlocked.Increment(ref _clientsThere) == Clients)
                {
                    _everybodyIsThere.SetResult();
                }

                await Task.WhenAny(life.Done, _published.Task);
            }

            return lives;
        }

        private ChannelFilter[] Choose(Random random)
        {
            var channels = _channels.OrderBy(_ => random.Next()).Take(random.Next(1, 4)).Select(ChannelFilter.FromName);
            var patterns = Patterns.OrderBy(_ => random.Next()).Take(IsResuming ? random.Next(3) : 0);
            return [.. patterns, .. channels];
        }

        private long? ChooseStart(Random random, List<Life> before) => random.Next(4) switch
        {
            0 => null,
            1 => random.NextInt64(_hub.Appended + 10),
            2 when before.Count > 1 => before[^2].Last,
            _ => Math.Max(0, _hub.Appended - random.Next(5)),
        };

        private async Task PublishAsync(int number)
        {
            var random = new Random((_seed * 1_000) + 500 + number);
            for (int i = 0; i < MessagesEach; i++)
            {
                await PublishAsync(random.Next(_channels.Length), "message"u8.ToArray());
                if (i % 16 == number)
                {
                    // At the pace of the shards, or all would be published before many have come and gone.
                    await _shards[random.Next(_shards.Length)].SwitchTo();
                    await Task.Yield();
                }
            }
        }

        private async Task PublishAsync(int channel, byte[] text)
        {
            var receipt = await _broker.PublishAsync(_channels[channel], new PushMessage(MessageKind.Text, text));
            _channelOf[receipt.Id.Sequence] = _channels[channel];
        }
    }
}
