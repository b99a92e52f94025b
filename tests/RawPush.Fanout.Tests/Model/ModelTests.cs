namespace RawPush.Fanout.Tests.Model;

/// <summary>Random lives of a node, held against a model that knows nothing of logs and cursors.</summary>
public sealed class ModelTests
{
    // To search for faults: RAWPUSH_MODEL_SEEDS=10000 runs that many instead of these.
    private const int Seeds = 40;

    [Fact]
    public void Whatever_happens_everything_is_delivered_once_in_order_or_announced_as_missing()
    {
        int count = int.TryParse(Environment.GetEnvironmentVariable("RAWPUSH_MODEL_SEEDS"), out int asked) ? asked : Seeds;
        var tally = new ModelTally();
        var failures = new List<string>();
        for (int seed = 1; seed <= count; seed++)
        {
            try
            {
                new ModelRun(seed, tally).Play();
            }
            catch (Exception exception)
            {
                failures.Add($"seed {seed}: {exception.Message}\n{exception.StackTrace}");
            }
        }

        Assert.True(failures.Count == 0, $"{failures.Count} of {count} seeds failed. {string.Join("\n", failures.Take(3))}");

        // The dice must have come to everything that is to be tested.
        Assert.All([tally.Delivered, tally.RetentionGaps, tally.SlowGaps, tally.EpochGaps, tally.Lagged, tally.Resumed], number => Assert.True(number > count, $"{tally}"));
    }
}
