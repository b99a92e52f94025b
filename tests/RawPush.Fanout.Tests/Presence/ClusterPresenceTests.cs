using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Presence;

namespace RawPush.Fanout.Tests.Presence;

/// <summary>What is asked of the nodes, how often, and what their answers add up to.</summary>
public sealed class ClusterPresenceTests : IDisposable
{
    private static readonly ChannelFilter A = ChannelFilter.Parse("a");

    private readonly AskedBroker _broker = new();
    private readonly FakeTimeProvider _time = new();
    private readonly ClusterPresence _presence;

    public ClusterPresenceTests() => _presence = new ClusterPresence(new ChannelHub(new ChannelLimits(), _broker, shardCount: 1, _time), _time);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _presence.Dispose();

    [Fact]
    public async Task Who_asks_at_the_same_time_or_within_a_second_gets_the_same_answer()
    {
        var answer = new TaskCompletionSource<PeerAnswers>();
        _broker.Answer = (_, _) => answer.Task;
        var together = Enumerable.Range(0, 1000).Select(_ => _presence.CountAsync(A, Token)).ToArray();
        answer.SetResult(new PeerAnswers(1, [Count(7)]));
        Assert.All(await Task.WhenAll(together), report => Assert.Equal(7, report.Subscribers));

        _broker.Answer = (_, _) => Task.FromResult(new PeerAnswers(1, [Count(8)]));
        _time.Advance(TimeSpan.FromMilliseconds(999));
        Assert.Equal(7, (await _presence.CountAsync(A, Token)).Subscribers);
        Assert.Equal(1, _broker.Asked);

        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(8, (await _presence.CountAsync(A, Token)).Subscribers);
        Assert.Equal(2, _broker.Asked);
    }

    [Fact]
    public async Task Users_are_asked_for_by_those_who_want_them()
    {
        _broker.Answer = (_, withUsers) => Task.FromResult(new PeerAnswers(1, [withUsers ? Named(1, "ann") : Count(1)]));
        Assert.Null((await _presence.CountAsync(A, Token)).Users);
        Assert.Equal(["ann"], (await _presence.FindUsersAsync(A, Token)).Users!.Names);
        Assert.Null((await _presence.CountAsync(A, Token)).Users);
        Assert.Equal(2, _broker.Asked);
    }

    [Fact]
    public async Task Who_is_on_two_nodes_counts_once()
    {
        _broker.Answer = (_, _) => Task.FromResult(new PeerAnswers(2, [Named(3, "ann", "bob"), Named(2, "bob", "cid")]));
        var report = await _presence.FindUsersAsync(A, Token);
        Assert.Equal((5, new NodeTally(3, 3, true)), (report.Subscribers, report.Nodes));
        Assert.Equal((3, true), (report.Users!.Count, report.Users.IsComplete));
        Assert.Equal(["ann", "bob", "cid"], report.Users.Names);
    }

    [Fact]
    public async Task A_part_is_told_to_be_one()
    {
        _broker.Answer = (_, _) => Task.FromResult(new PeerAnswers(2, [Named(1, "ann")]));
        var report = await _presence.FindUsersAsync(A, Token);
        Assert.Equal((3, 2, false), (report.Nodes.Known, report.Nodes.Answered, report.Nodes.IsComplete));
        Assert.Equal((1, false), (report.Users!.Count, report.Users.IsComplete));
    }

    [Fact]
    public async Task Without_the_bus_nobody_knows_whether_it_is_all()
    {
        _broker.IsConnected = false;
        var report = await _presence.FindUsersAsync(A, Token);
        Assert.Equal((new NodeTally(1, 1, false), false), (report.Nodes, report.Users!.IsComplete));
    }

    [Fact]
    public async Task Users_that_are_not_named_count_all_the_same()
    {
        _broker.Answer = (_, _) => Task.FromResult(new PeerAnswers(2, [new NodePresence(9, new UserList(9, ["ann"], IsComplete: false)), Named(2, "ann", "bob")]));
        var users = (await _presence.FindUsersAsync(A, Token)).Users!;
        Assert.Equal((10, false), (users.Count, users.IsComplete));
        Assert.Equal(["ann", "bob"], users.Names);
    }

    [Theory]
    [InlineData(PresenceSum.NamesMax, true)]
    [InlineData(PresenceSum.NamesMax + 1, false)]
    public async Task A_sum_names_ten_thousand_users_at_most(int count, bool isComplete)
    {
        _broker.Answer = (_, _) => Task.FromResult(new PeerAnswers(1, [Named(count, Names(count))]));
        var users = (await _presence.FindUsersAsync(A, Token)).Users!;
        Assert.Equal((count, PresenceSum.NamesMax, isComplete), (users.Count, users.Names.Count, users.IsComplete));
    }

    [Fact]
    public async Task Nodes_are_asked_so_many_questions_at_a_time_and_the_others_wait()
    {
        var answer = new TaskCompletionSource<PeerAnswers>();
        _broker.Answer = (_, _) => answer.Task;
        var asked = Enumerable.Range(0, ClusterPresence.QuestionsMax).Select(i => _presence.CountAsync(Channel(i), Token)).ToArray();
        await UntilAsync(() => _broker.Asked == ClusterPresence.AskedMax);
        await Assert.ThrowsAsync<PresenceBusyException>(() => _presence.CountAsync(A, Token));
        Assert.All(asked, question => Assert.False(question.IsCompleted));
        Assert.Equal(ClusterPresence.AskedMax, _broker.Asked);

        answer.SetResult(PeerAnswers.None);
        await Task.WhenAll(asked);

        // What is remembered makes room, the oldest first.
        await _presence.CountAsync(A, Token);
        Assert.Equal(ClusterPresence.QuestionsMax + 1, _broker.Asked);
        await _presence.CountAsync(A, Token);
        Assert.Equal(ClusterPresence.QuestionsMax + 1, _broker.Asked);
    }

    [Fact]
    public async Task Not_more_names_are_remembered_than_there_is_room_for()
    {
        _broker.Answer = (_, _) => Task.FromResult(new PeerAnswers(1, [Named(PresenceSum.NamesMax, Names(PresenceSum.NamesMax))]));
        const int Fitting = ClusterPresence.NamesRememberedMax / PresenceSum.NamesMax;
        for (int i = 0; i <= Fitting; i++)
        {
            await _presence.FindUsersAsync(Channel(i), Token);
        }

        await _presence.FindUsersAsync(Channel(1), Token);
        Assert.Equal(Fitting + 1, _broker.Asked);
        await _presence.FindUsersAsync(Channel(0), Token);
        Assert.Equal(Fitting + 2, _broker.Asked);
    }

    [Fact]
    public async Task Who_does_not_want_to_wait_any_more_ends_nobody_elses_question()
    {
        var answer = new TaskCompletionSource<PeerAnswers>();
        _broker.Answer = (_, _) => answer.Task;
        using var impatience = new CancellationTokenSource();
        var impatient = _presence.CountAsync(A, impatience.Token);
        var patient = _presence.CountAsync(A, Token);
        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        answer.SetResult(new PeerAnswers(1, [Count(2)]));
        Assert.Equal(2, (await patient).Subscribers);
    }

    private static NodePresence Count(int subscribers) => new(subscribers, null);

    private static NodePresence Named(int subscribers, params string[] names) => new(subscribers, new UserList(names.Length, names, IsComplete: true));

    private static string[] Names(int count) => [.. Enumerable.Range(0, count).Select(i => i.ToString(CultureInfo.InvariantCulture))];

    private static ChannelFilter Channel(int i) => ChannelFilter.Parse($"c.{i}");

    private static async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Delay(1, Token);
        }
    }
}
