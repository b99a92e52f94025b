using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Tests.Channels;

public sealed class ChannelFilterTests
{
    [Theory]
    [InlineData("a", false)]
    [InlineData("a.b.c", false)]
    [InlineData("*", true)]
    [InlineData(">", true)]
    [InlineData("a.*", true)]
    [InlineData("a.>", true)]
    [InlineData("*.b.*", true)]
    [InlineData("*.>", true)]
    [InlineData("a.*.c.>", true)]
    public void It_is_a_name_or_a_pattern(string text, bool isPattern)
    {
        var filter = ChannelFilter.Parse(text);
        Assert.Equal((text, isPattern, text), (filter.Value, filter.IsPattern, filter.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("a.")]
    [InlineData(".*")]
    [InlineData("a..*")]
    [InlineData("a*")]
    [InlineData("a.b*")]
    [InlineData("a.**")]
    [InlineData("a.>>")]
    [InlineData("a.*>")]
    [InlineData(">.a")]
    [InlineData("a.>.*")]
    [InlineData("a.>.b")]
    [InlineData("a .*")]
    [InlineData("a/b.*")]
    [InlineData("rawpush.*")]
    [InlineData("rawpush.>")]
    [InlineData("a,b")]
    public void What_is_neither_is_refused_with_a_reason(string text)
    {
        Assert.False(ChannelFilter.TryParse(text, out var filter, out string? error));
        Assert.Equal(default, filter);
        Assert.NotEmpty(error);
        Assert.Equal(error, Assert.Throws<FormatException>(() => ChannelFilter.Parse(text)).Message);
    }

    [Theory]
    [InlineData(ChannelName.BytesMax - 1, true)]
    [InlineData(ChannelName.BytesMax, true)]
    [InlineData(ChannelName.BytesMax + 1, false)]
    public void A_pattern_is_as_long_as_a_name_at_most(int length, bool isValid)
    {
        Assert.Equal(isValid, ChannelFilter.TryParse(new string('a', length - 2) + ".*", out _, out _));
    }

    [Theory]
    [InlineData("a", "a", true)]
    [InlineData("a", "A", false)]
    [InlineData("a", "a.b", false)]
    [InlineData("a.b", "a", false)]
    [InlineData("*", "a", true)]
    [InlineData("*", "a.b", false)]
    [InlineData("a.*", "a", false)]
    [InlineData("a.*", "a.b", true)]
    [InlineData("a.*", "a.b.c", false)]
    [InlineData("a.*", "b.b", false)]
    [InlineData("*.b", "a.b", true)]
    [InlineData("*.b", "a.c", false)]
    [InlineData("a.*.c", "a.b.c", true)]
    [InlineData("a.*.c", "a.b.d", false)]
    [InlineData(">", "a", true)]
    [InlineData(">", "a.b.c", true)]
    [InlineData("a.>", "a", false)]
    [InlineData("a.>", "a.b", true)]
    [InlineData("a.>", "a.b.c", true)]
    [InlineData("a.>", "ab.c", false)]
    [InlineData("*.*.>", "a.b", false)]
    [InlineData("*.*.>", "a.b.c", true)]
    public void It_matches_these_channels(string filter, string name, bool isMatch)
    {
        Assert.Equal(isMatch, ChannelFilter.Parse(filter).Matches(ChannelName.Parse(name)));
        Assert.Equal(isMatch, ChannelFilter.Parse(filter).Covers(ChannelFilter.Parse(name)));
    }

    [Theory]
    [InlineData(">", ">", true)]
    [InlineData(">", "*", true)]
    [InlineData("*", ">", false)]
    [InlineData("a.*", "a.*", true)]
    [InlineData("a.b", "a.*", false)]
    [InlineData("a.>", "a.*", true)]
    [InlineData("a.*", "a.>", false)]
    [InlineData("a.>", "a.*.c.>", true)]
    [InlineData("*.b", "a.*", false)]
    [InlineData("*.*", "a.*", true)]
    [InlineData("a.*.>", "a.>", false)]
    [InlineData("a.>", "a.b.>", true)]
    [InlineData("*.>", ">", false)]
    public void It_covers_what_can_mean_no_other_channels(string filter, string other, bool isCovered)
    {
        Assert.Equal(isCovered, ChannelFilter.Parse(filter).Covers(ChannelFilter.Parse(other)));
    }

    [Fact]
    public void What_it_covers_it_matches()
    {
        // All filters and names of up to three tokens.
        string[] tokens = ["a", "b", "*", ">"];
        var texts = tokens.Concat(from x in tokens from y in tokens select $"{x}.{y}").Concat(from x in tokens from y in tokens from z in tokens select $"{x}.{y}.{z}");
        ChannelFilter[] filters = [.. texts.Where(text => ChannelFilter.TryParse(text, out _, out _)).Select(ChannelFilter.Parse)];
        ChannelName[] names = [.. filters.Where(filter => !filter.IsPattern).Select(filter => ChannelName.Parse(filter.Value))];
        foreach (var filter in filters)
        {
            foreach (var other in filters)
            {
                bool isCovered = filter.Covers(other);
                var matched = names.Where(name => other.Matches(name));
                Assert.True(!isCovered || matched.All(filter.Matches), $"{filter} covers {other}");
            }
        }
    }

    [Fact]
    public void Equality_is_that_of_the_text()
    {
        Assert.Equal(ChannelFilter.Parse("a.b"), (ChannelFilter)ChannelName.Parse("a.b"));
        Assert.True(ChannelFilter.Parse("a.*") != ChannelFilter.Parse("a.>"));
        Assert.Equal(ChannelName.Parse("a").GetHashCode(), ChannelFilter.Parse("a").GetHashCode());
        Assert.False(default(ChannelFilter).Matches(ChannelName.Parse("a")));
    }
}
