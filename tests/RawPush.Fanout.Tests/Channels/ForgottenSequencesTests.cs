using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Tests.Channels;

public sealed class ForgottenSequencesTests
{
    private static readonly string[] Patterns = [">", "*", "*.>", "*.1"];

    [Fact]
    public void Nothing_is_gone_at_first()
    {
        var forgotten = new ForgottenSequences();
        Assert.Equal(0, forgotten.Through(ChannelFilter.Parse("a.b")));
        Assert.Equal(0, forgotten.Through(ChannelFilter.Parse("a.*")));
        Assert.Equal(0, forgotten.Through(ChannelFilter.Parse(">")));
    }

    [Theory]
    [InlineData(1, 20)]
    [InlineData(2, 1_000)]
    [InlineData(3, 200_000)]
    public void It_is_never_less_than_the_truth(int seed, int channels)
    {
        var random = new Random(seed);
        var forgotten = new ForgottenSequences();
        var names = new Dictionary<string, long>();
        var tokens = new Dictionary<string, long>();
        for (long sequence = 1; sequence <= channels; sequence++)
        {
            string token = $"t{random.Next(channels)}";
            string name = $"{token}.{random.Next(3)}";
            if (random.Next(2) == 0)
            {
                forgotten.Note(ChannelName.Parse(name), sequence);
                names[name] = sequence;
            }
            else
            {
                forgotten.NoteForPatterns(ChannelName.Parse(name), sequence);
            }

            tokens[token] = sequence;
        }

        Assert.All(names, pair => Assert.InRange(forgotten.Through(ChannelFilter.Parse(pair.Key)), pair.Value, channels));
        Assert.All(tokens, pair => Assert.InRange(forgotten.Through(ChannelFilter.Parse($"{pair.Key}.>")), pair.Value, channels));
        Assert.All(Patterns, pattern => Assert.Equal(channels, forgotten.Through(ChannelFilter.Parse(pattern))));
    }

    [Fact]
    public void Of_few_channels_it_is_exact()
    {
        // Hashes differ from run to run: that half of four pairs share their slots happens once in 10^14 runs.
        int exact = 0;
        for (int pair = 0; pair < 8; pair++)
        {
            var forgotten = new ForgottenSequences();
            forgotten.Note(ChannelName.Parse($"a{pair}.x"), 7);
            forgotten.Note(ChannelName.Parse($"b{pair}.x"), 9);
            exact += (forgotten.Through(ChannelFilter.Parse($"a{pair}.x")), forgotten.Through(ChannelFilter.Parse($"a{pair}.*"))) == (7, 7) ? 1 : 0;
        }

        Assert.InRange(exact, 4, 8);
    }

    [Fact]
    public void An_older_one_takes_nothing_back()
    {
        var forgotten = new ForgottenSequences();
        forgotten.Note(ChannelName.Parse("a"), 9);
        forgotten.Note(ChannelName.Parse("a"), 7);
        Assert.Equal(9, forgotten.Through(ChannelFilter.Parse("a")));
    }
}
