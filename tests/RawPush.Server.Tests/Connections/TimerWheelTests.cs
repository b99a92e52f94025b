using RawPush.Server.Connections;

namespace RawPush.Server.Tests.Connections;

public sealed class TimerWheelTests
{
    [Theory]
    [InlineData(0, 1, 1000)]
    [InlineData(0, 1000, 1000)]
    [InlineData(0, 1001, 2000)]
    [InlineData(999, 1000, 1000)]
    [InlineData(5500, 5500, 6000)]
    [InlineData(5500, 3, 6000)]
    [InlineData(0, 511_000, 511_000)]
    [InlineData(0, 512_000, 512_000)]
    [InlineData(0, 513_000, 513_000)]
    [InlineData(123_456, 3_723_456, 3_724_000)]
    public void AnEntryIsCalledAtItsTimeOrUpToASecondLater(long startMs, long dueMs, long calledMs)
    {
        var wheel = new TimerWheel(startMs);
        var entry = new Entry();
        wheel.Schedule(entry, dueMs);
        for (long now = startMs; now < calledMs; now += 250)
        {
            wheel.Advance(now);
            Assert.Empty(entry.Calls);
        }

        wheel.Advance(calledMs);
        Assert.Equal([calledMs], entry.Calls);
        wheel.Advance(calledMs + 2_000_000);
        Assert.Single(entry.Calls);
    }

    [Fact]
    public void TheLastTimeCounts()
    {
        var wheel = new TimerWheel(0);
        var entry = new Entry();
        wheel.Schedule(entry, 5000);
        wheel.Schedule(entry, 2000);
        wheel.Schedule(entry, 8000);
        wheel.Advance(7999);
        Assert.Empty(entry.Calls);
        wheel.Advance(8000);
        Assert.Equal([8000], entry.Calls);
    }

    [Fact]
    public void ACancelledEntryIsNotCalledAndItsNeighboursAre()
    {
        var wheel = new TimerWheel(0);
        var entries = Enumerable.Range(0, 5).Select(_ => new Entry()).ToArray();
        Array.ForEach(entries, entry => wheel.Schedule(entry, 2000));
        foreach (int i in (int[])[4, 2, 0])
        {
            wheel.Cancel(entries[i]);
            wheel.Cancel(entries[i]);
        }

        wheel.Advance(2000);
        Assert.Equal([0, 1, 0, 1, 0], entries.Select(entry => entry.Calls.Count));
    }

    [Fact]
    public void ACallbackMayCancelItsNeighboursAndItself()
    {
        var wheel = new TimerWheel(0);
        var entries = Enumerable.Range(0, 4).Select(_ => new Entry()).ToArray();
        foreach (var entry in entries)
        {
            entry.Callback = () => Array.ForEach(entries, wheel.Cancel);
            wheel.Schedule(entry, 2000);
        }

        wheel.Advance(10_000);
        Assert.Equal(1, entries.Sum(entry => entry.Calls.Count));
    }

    [Fact]
    public void ACallbackMayScheduleItselfAgainForWheneverItLikes()
    {
        var wheel = new TimerWheel(0);
        var entry = new Entry();
        entry.Callback = () => wheel.Schedule(entry, 0);
        wheel.Schedule(entry, 1000);
        for (long now = 1000; now <= 5000; now += 1000)
        {
            wheel.Advance(now);
        }

        Assert.Equal([1000, 2000, 3000, 4000, 5000], entry.Calls);
    }

    [Fact]
    public void AfterALongSleepEverythingDueIsCalledOnceAndNothingElse()
    {
        var wheel = new TimerWheel(0);
        var entries = Enumerable.Range(1, 3000).Select(i => (DueMs: i * 777L, Entry: new Entry())).ToArray();
        Array.ForEach(entries, pair => wheel.Schedule(pair.Entry, pair.DueMs));
        wheel.Advance(1_500_000);
        Assert.All(entries, pair => Assert.Equal(pair.DueMs <= 1_500_000 ? 1 : 0, pair.Entry.Calls.Count));
        wheel.Advance(4_000_000);
        Assert.All(entries, pair => Assert.Single(pair.Entry.Calls));
    }

    [Fact]
    public void ThousandsOfRandomStepsAgreeWithASimpleModel()
    {
        const int Seed = 20_240_607;
        var random = new Random(Seed);
        long now = random.Next(1_000_000);
        var wheel = new TimerWheel(now);
        var entries = Enumerable.Range(0, 200).Select(_ => new Entry()).ToArray();
        var due = new Dictionary<Entry, long>();
        for (int step = 0; step < 50_000; step++)
        {
            var entry = entries[random.Next(entries.Length)];
            switch (random.Next(10))
            {
                case < 5:
                    long time = now + random.Next(-2000, random.Next(20) == 0 ? 2_000_000 : 30_000);
                    wheel.Schedule(entry, time);
                    due[entry] = Math.Max((time + 999) / 1000, now / 1000 + 1) * 1000;
                    break;
                case < 7:
                    wheel.Cancel(entry);
                    due.Remove(entry);
                    break;
                default:
                    now += random.Next(random.Next(50) == 0 ? 1_000_000 : 3000);
                    wheel.Advance(now);
                    foreach (var candidate in entries)
                    {
                        // Millions of times, so the assertion is only made where it fails.
                        bool isExpected = due.TryGetValue(candidate, out long at) && at <= now;
                        if (candidate.Calls.Count != (isExpected ? 1 : 0))
                        {
                            Assert.Fail($"Step {step}: called {candidate.Calls.Count} times at {now}, due at {at}.");
                        }

                        if (isExpected)
                        {
                            candidate.Calls.Clear();
                            due.Remove(candidate);
                        }
                    }

                    break;
            }
        }
    }

    private sealed class Entry : TimerEntry
    {
        public List<long> Calls { get; } = [];

        public Action? Callback { get; set; }

        protected internal override void OnTimer(long nowMs)
        {
            Calls.Add(nowMs);
            Callback?.Invoke();
        }
    }
}
