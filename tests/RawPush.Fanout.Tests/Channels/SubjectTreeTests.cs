using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Tests.Channels;

public sealed class SubjectTreeTests
{
    private static readonly string[] Tokens = ["a", "b", "c", "*", ">"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void It_finds_what_a_look_at_everything_finds(int seed)
    {
        var random = new Random(seed);
        var patterns = new SubjectTree<string>();
        var names = new SubjectTree<string>();
        var model = new HashSet<string>();
        for (int step = 0; step < 3_000; step++)
        {
            string text = CreateText(random);
            var filter = ChannelFilter.Parse(text);
            var tree = filter.IsPattern ? patterns : names;
            Assert.Equal(model.Contains(text) ? text : null, tree.Find(text));
            if (model.TryGetValue(text, out string? stored))
            {
                // Another value at the same place stays where it is.
                tree.Remove(text, new string(text));
                Assert.Same(stored, tree.Find(text));
                if (random.Next(2) == 0)
                {
                    tree.Remove(text, stored);
                    model.Remove(text);
                }
            }
            else
            {
                tree.Add(text, text);
                model.Add(text);
            }

            Assert.Equal(model.Count, patterns.Count + names.Count);
            AssertFound(patterns, names, model, filter);
        }
    }

    [Fact]
    public void What_is_removed_leaves_nothing_behind()
    {
        var tree = new SubjectTree<string>();
        string[] texts = [.. Enumerable.Range(0, 5_000).Select(i => $"{i % 7}.{i % 50}.{i}.{(i % 2 == 0 ? "*" : ">")}")];
        Array.ForEach(texts, text => tree.Add(text, text));
        Array.ForEach(texts, text => tree.Remove(text, text));

        Assert.Equal(0, tree.Count);
        Assert.True(new SubjectTreeNodes(tree).IsEmpty);
    }

    private static string CreateText(Random random)
    {
        while (true)
        {
            string text = string.Join('.', Enumerable.Range(0, random.Next(1, 5)).Select(_ => Tokens[random.Next(Tokens.Length)]));
            if (ChannelFilter.TryParse(text, out _, out _))
            {
                return text;
            }
        }
    }

    private static void AssertFound(SubjectTree<string> patterns, SubjectTree<string> names, HashSet<string> model, ChannelFilter filter)
    {
        var found = new List<string>();
        if (filter.IsPattern)
        {
            names.FindMatching(filter.Value, found);
            Assert.Equal(model.Where(text => !text.AsSpan().ContainsAny('*', '>') && filter.Covers(ChannelFilter.Parse(text))).Order(), found.Order());
        }
        else
        {
            patterns.FindMatches(filter.Value, found);
            Assert.Equal(model.Where(text => ChannelFilter.Parse(text) is { IsPattern: true } pattern && pattern.Covers(filter)).Order(), found.Order());
        }
    }
}
