using System.Buffers;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using RawPush.Fanout.Brokers.Nats.Nodes;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Presence;
using RawPush.TestKit;

namespace RawPush.Fanout.Tests.Brokers.Nats.Nodes;

/// <summary>What nodes know of one another, and the messages by which they do, without a server.</summary>
public sealed class NodePartsTests
{
    private static readonly string[] AnnAndBob = ["ann", "bob ö"];

    [Fact]
    public void A_node_is_silent_when_it_was_not_heard_for_so_long_and_not_while_nobody_can_be()
    {
        var time = new FakeTimeProvider();
        var table = new NodeTable(time);
        table.Hear(1);
        time.Advance(TimeSpan.FromSeconds(2));
        table.Hear(2);
        time.Advance(TimeSpan.FromSeconds(1.5));
        Assert.Equal([1UL], table.Silent(NodeBus.SilenceMax));
        table.Hold();
        Assert.Empty(table.Silent(NodeBus.SilenceMax));
        time.Advance(NodeBus.SilenceMax - TimeSpan.FromTicks(1));
        Assert.Empty(table.Silent(NodeBus.SilenceMax));
        time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal([1UL, 2UL], table.Silent(NodeBus.SilenceMax).Order());
        table.Remove(1);
        Assert.Equal([2UL], table.All());
    }

    [Fact]
    public void The_table_of_nodes_has_a_limit()
    {
        var table = new NodeTable(TimeProvider.System);
        for (ulong node = 0; node <= NodeTable.NodesMax; node++)
        {
            table.Hear(node);
        }

        Assert.Equal(NodeTable.NodesMax, table.Count);
        Assert.DoesNotContain((ulong)NodeTable.NodesMax, table.All());
        table.Remove(0);
        table.Hear(NodeTable.NodesMax);
        Assert.Equal(NodeTable.NodesMax, table.Count);
    }

    [Fact]
    public void A_question_ends_when_all_have_answered_or_are_gone()
    {
        var question = new OpenQuestion([1, 2, 3], isOpen: false);
        question.Begin();
        question.Answer(1, Count(5));
        question.Answer(1, Count(500));
        question.Answer(9, Count(7));
        question.Answer(2, Count(1));
        Assert.False(question.Answered.IsCompleted);
        Assert.Equal((4, 3, 13), Tally(question));
        question.Forget(3);
        Assert.True(question.Answered.IsCompleted);
        Assert.Equal((3, 3, 13), Tally(question));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_question_to_nobody_ends_at_once_unless_there_may_be_somebody(bool isOpen)
    {
        var question = new OpenQuestion([], isOpen);
        question.Begin();
        Assert.Equal(!isOpen, question.Answered.IsCompleted);
        question.Answer(1, Count(1));
        Assert.Equal(!isOpen, question.Answered.IsCompleted);
    }

    [Fact]
    public void Answers_of_any_number_hold_so_many_names_and_are_so_many_at_most()
    {
        var question = new OpenQuestion([], isOpen: true);
        string[] names = [.. Enumerable.Range(0, NodePresence.NamesMax).Select(i => $"{i}")];
        for (ulong node = 0; node < NodeTable.NodesMax + 10; node++)
        {
            question.Answer(node, new NodePresence(1, new UserList(names.Length, names, IsComplete: true)));
        }

        var answers = question.ToAnswers().Answers;
        Assert.Equal(NodeTable.NodesMax, answers.Count);
        Assert.Equal(PresenceSum.NamesMax, answers.Sum(answer => answer.Users!.Names.Count));
        Assert.Equal(PresenceSum.NamesMax / NodePresence.NamesMax, answers.Count(answer => answer.Users!.IsComplete));
    }

    [Fact]
    public void Messages_are_read_as_they_were_written_wherever_they_are_cut()
    {
        AtEachCut(NodeMessages.WriteAlive(0xABC, 7), (in ReadOnlySequence<byte> message) =>
        {
            Assert.True(NodeMessages.TryReadAlive(message, out ulong node, out long number));
            Assert.Equal((0xABCUL, 7L), (node, number));
        });
        AtEachCut(NodeMessages.WriteNode(0xABC), (in ReadOnlySequence<byte> message) =>
        {
            Assert.True(NodeMessages.TryReadNode(message, out ulong node));
            Assert.Equal(0xABCUL, node);
        });
        foreach (bool withUsers in new[] { false, true })
        {
            var asked = new NodeQuestion(ChannelFilter.Parse("ö.*.>"), withUsers);
            AtEachCut(NodeMessages.Write(asked), (in ReadOnlySequence<byte> message) =>
            {
                Assert.True(NodeMessages.TryRead(message, out var question));
                Assert.Equal(asked, question);
            });
        }

        foreach (var said in new[] { Count(7), Named(2, true, AnnAndBob), Named(2000, false, AnnAndBob), Named(0, true), Named(2, false, AnnAndBob) })
        {
            AtEachCut(NodeMessages.Write(ulong.MaxValue, said, NodeMessages.BytesMax), (in ReadOnlySequence<byte> message) =>
            {
                Assert.True(NodeMessages.TryRead(message, out ulong node, out var presence));
                Assert.Equal((ulong.MaxValue, said.Subscribers), (node, presence!.Subscribers));
                Assert.Equal((said.Users?.Count, said.Users?.IsComplete), (presence.Users?.Count, presence.Users?.IsComplete));
                Assert.Equal(said.Users?.Names, presence.Users?.Names);
            });
        }
    }

    [Fact]
    public void An_answer_of_the_longest_names_fits_and_one_that_does_not_leaves_names_out()
    {
        string[] names = [.. Enumerable.Range(0, NodePresence.NamesMax).Select(i => $"{i:0000}{new string('a', UserList.NameBytesMax - 4)}")];
        byte[] whole = NodeMessages.Write(1, Named(names.Length, true, names), NodeMessages.BytesMax);
        Assert.InRange(whole.Length, 1, NodeMessages.BytesMax);
        Assert.True(NodeMessages.TryRead(new ReadOnlySequence<byte>(whole), out _, out var all));
        Assert.Equal((names.Length, true), (all!.Users!.Names.Count, all.Users.IsComplete));

        byte[] part = NodeMessages.Write(1, Named(names.Length, true, names), 1024);
        Assert.InRange(part.Length, 512, 1024);
        Assert.True(NodeMessages.TryRead(new ReadOnlySequence<byte>(part), out _, out var some));
        Assert.Equal((names.Length, false), (some!.Users!.Count, some.Users.IsComplete));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("0")]
    [InlineData("000000000000000g 1")]
    [InlineData("0000000000000001")]
    [InlineData("0000000000000001 ")]
    [InlineData("0000000000000001 -1")]
    [InlineData("0000000000000001 2147483648")]
    [InlineData("0000000000000001 1\nann")]
    [InlineData("0000000000000001 1 0\nann")]
    [InlineData("0000000000000001 1 1\n")]
    [InlineData("0000000000000001 1 2\nann\nann")]
    [InlineData("0000000000000001 1 1\nan\tn")]
    [InlineData("0000000000000001 1 1 1\nann")]
    [InlineData("0000000000000001 1 +\nann")]
    [InlineData("0000000000000001 1 1++\nann")]
    [InlineData("0000000000000001 1 1\n\uFFFF")]
    public void What_is_no_answer_is_passed_over(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        if (text.EndsWith('\uFFFF'))
        {
            bytes[^1] = 0xFF;
        }

        Assert.False(NodeMessages.TryRead(new ReadOnlySequence<byte>(bytes), out _, out var presence));
        Assert.Null(presence);
    }

    [Fact]
    public void Neither_is_one_that_is_too_long_or_names_too_many()
    {
        Assert.False(NodeMessages.TryRead(new ReadOnlySequence<byte>(new byte[NodeMessages.BytesMax + 1]), out _, out _));
        string names = string.Concat(Enumerable.Range(0, NodePresence.NamesMax + 1).Select(i => $"\n{i}"));
        Assert.False(NodeMessages.TryRead(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes($"0000000000000001 1 5000{names}")), out _, out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("users")]
    [InlineData("users\n")]
    [InlineData("others\na")]
    [InlineData("users\na\nb")]
    [InlineData("users\na b")]
    [InlineData("users\n>.a")]
    [InlineData("users\nrawpush.a")]
    public void What_is_no_question_is_passed_over(string text) => Assert.False(NodeMessages.TryRead(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(text)), out _));

    [Fact]
    public void Random_bytes_and_messages_with_a_byte_changed_end_nothing()
    {
        var random = new Random(7);
        byte[] message = NodeMessages.Write(1, Named(2, true, AnnAndBob), NodeMessages.BytesMax);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = i % 2 == 0 ? [.. message] : new byte[random.Next(64)];
            if (i % 2 == 0)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }
            else
            {
                random.NextBytes(bytes);
            }

            var sequence = new ReadOnlySequence<byte>(bytes);
            if (NodeMessages.TryRead(sequence, out _, out var presence) && presence!.Users is { } users)
            {
                Assert.All(users.Names, name => Assert.True(UserList.IsName(name)));
                Assert.InRange(users.Names.Count, 0, users.Count);
            }

            NodeMessages.TryRead(sequence, out _);
            NodeMessages.TryReadNode(sequence, out _);
        }
    }

    [Theory]
    [InlineData("p.node.answer.1.5", true)]
    [InlineData("p.in.news", false)]
    [InlineData("p.node.ask", false)]
    [InlineData(null, false)]
    public void Answers_go_to_subjects_for_answers_and_nowhere_else(string? replyTo, bool isFor) => Assert.Equal(isFor, new NodeSubjects("p", 1).IsForAnswers(replyTo));

    [Theory]
    [InlineData("p.node.answer.1.5", 5)]
    [InlineData("p.node.answer.1.", null)]
    [InlineData("p.node.answer.1.x", null)]
    [InlineData("p.node.answer.2.5", null)]
    public void An_answer_says_to_which_question_it_is(string subject, int? expected)
    {
        Assert.Equal(expected is not null, new NodeSubjects("p", 1).TryReadQuestion(subject, out long question));
        Assert.Equal(expected ?? 0, question);
    }

    private delegate void Check(in ReadOnlySequence<byte> message);

    private static void AtEachCut(byte[] message, Check check)
    {
        for (int cut = 0; cut <= message.Length; cut++)
        {
            check(SplitSequence.At(message, cut));
        }
    }

    private static NodePresence Count(long subscribers) => new(subscribers, null);

    private static NodePresence Named(long count, bool isComplete, params string[] names) => new(count, new UserList(count, names, isComplete));

    private static (int Known, int Answered, long Subscribers) Tally(OpenQuestion question)
    {
        var answers = question.ToAnswers();
        return (answers.Known, answers.Answers.Count, answers.Answers.Sum(answer => answer.Subscribers));
    }
}
