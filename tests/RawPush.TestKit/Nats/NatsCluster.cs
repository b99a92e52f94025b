using System.Text.Json;

namespace RawPush.TestKit.Nats;

/// <summary>Servers with routes to one another, each of which can be killed, paused, or cut off from the others while its clients stay.</summary>
/// <remarks>Members reach each other by way of relays. Called by one caller at a time. Where it waits for <i>reachable</i> members, it means those that respond and are not cut off.</remarks>
public sealed class NatsCluster : IAsyncDisposable
{
    private readonly NatsServerOptions _options;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("rawpush-nats-cluster-");
    private readonly LoopbackPort _nowhere = new();
    private readonly LoopbackPort[] _ports;
    private readonly Dictionary<(int From, int To), TcpRelay> _relays = [];
    private readonly HashSet<NatsServer> _cut = [];

    private NatsCluster(int servers, NatsServerOptions options)
    {
        _options = options;
        _ports = [.. Enumerable.Range(0, servers).Select(_ => new LoopbackPort())];
        Certificates = options.Tls == NatsTls.None ? null : NatsCertificates.Create(_folder.FullName);
        foreach (var (from, to) in Pairs(servers))
        {
            _relays.Add((from, to), new TcpRelay(_ports[to].Number));
        }
    }

    public IReadOnlyList<NatsServer> Servers { get; private set; } = [];

    public IReadOnlyList<string> Urls => [.. Servers.Select(server => server.Url)];

    /// <summary>What clients trust and show, whichever member they meet. Null without TLS.</summary>
    public NatsCertificates? Certificates { get; }

    /// <summary>What the members have written so far, one after another.</summary>
    public string Log => string.Concat(Servers.Select(server => $"{server.Name}:\n{server.Log}\n"));

    private IEnumerable<NatsServer> Reachable => Servers.Where(server => server.IsResponding && !_cut.Contains(server));

    /// <summary>Starts so many servers, and waits until they are whole.</summary>
    public static async Task<NatsCluster> StartAsync(int servers = 3, NatsServerOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(servers, 2);
        var cluster = new NatsCluster(servers, options ?? new NatsServerOptions());
        try
        {
            await cluster.LaunchAsync();
            await cluster.WaitUntilWholeAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until all reachable members have routes to one another and, with JetStream, follow one of them.</summary>
    public async Task WaitUntilWholeAsync()
    {
        await UntilAsync("have their routes", async cancellation =>
        {
            var routes = await GetRoutesAsync(cancellation);
            return routes.All(member => routes.Keys.All(id => id == member.Key || member.Value.ContainsKey(id))) ? routes : null;
        });
        if (_options.JetStream)
        {
            await GetMetaLeaderAsync();
        }
    }

    /// <summary>Waits until every other reachable member passes on what is published to a subject, spelled as it was subscribed at this one.</summary>
    public Task WaitForInterestAsync(NatsServer subscribed, string subject) => UntilAsync($"know of {subject}", async cancellation =>
    {
        var routes = await GetRoutesAsync(cancellation);
        string id = await GetIdAsync(subscribed, cancellation);
        return routes.All(member => member.Key == id || member.Value.GetValueOrDefault(id)?.Contains(subject) == true) ? routes : null;
    });

    /// <summary>The leader of JetStream, as soon as all reachable members follow it and are up to date.</summary>
    public Task<NatsServer> GetMetaLeaderAsync() => GetLeaderAsync("JetStream", "/jsz", answer => Children(answer, "meta_cluster"));

    /// <summary>A stream's leader, as soon as all reachable members that store the stream follow it and are up to date.</summary>
    public Task<NatsServer> GetStreamLeaderAsync(string stream) => GetLeaderAsync($"stream {stream}", "/jsz?streams=1", answer =>
        from account in Elements(answer, "account_details")
        from detail in Elements(account, "stream_detail")
        where detail.GetProperty("name").GetString() == stream
        from cluster in Children(detail, "cluster")
        select cluster);

    /// <summary>Parts a member from all others, in both directions, and waits until it stands alone. Its clients notice nothing.</summary>
    public async Task CutAsync(NatsServer member)
    {
        _cut.Add(member);
        foreach (var relay in RelaysOf(member))
        {
            relay.Cut();
        }

        await UntilAsync($"part from {member.Name}", async cancellation =>
        {
            string id = await GetIdAsync(member, cancellation);
            var alone = await member.MonitorAsync("/routez", cancellation);
            var others = await GetRoutesAsync(cancellation);
            return alone.GetProperty("num_routes").GetInt32() == 0 && others.Values.All(routes => !routes.ContainsKey(id)) ? others : null;
        });
    }

    /// <summary>Lets a member back in, and waits until the cluster is whole.</summary>
    public async Task HealAsync(NatsServer member)
    {
        _cut.Remove(member);

        // What lies between two that are cut stays cut until both are back.
        foreach (var relay in RelaysOf(member).Except(_cut.SelectMany(RelaysOf)))
        {
            relay.Heal();
        }

        await WaitUntilWholeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in Servers)
        {
            await server.DisposeAsync();
        }

        foreach (var relay in _relays.Values)
        {
            await relay.DisposeAsync();
        }

        foreach (var port in _ports)
        {
            port.Dispose();
        }

        _nowhere.Dispose();
        _folder.Delete(recursive: true);
    }

    private async Task LaunchAsync()
    {
        var starts = _ports.Select((port, index) =>
        {
            var relays = _relays.Where(relay => relay.Key.From == index).Select(relay => relay.Value.Port);
            return NatsServer.StartAsync(_options, $"n{index + 1}", Certificates, NatsConfiguration.CreateCluster(port.Number, _nowhere.Number, relays));
        }).ToArray();
        try
        {
            await Task.WhenAll(starts);
        }
        finally
        {
            Servers = [.. starts.Where(start => start.IsCompletedSuccessfully).Select(start => start.Result)];
        }
    }

    private IEnumerable<TcpRelay> RelaysOf(NatsServer member)
    {
        int index = Servers.Index().First(server => server.Item == member).Index;
        return _relays.Where(relay => relay.Key.From == index || relay.Key.To == index).Select(relay => relay.Value);
    }

    private Task<NatsServer> GetLeaderAsync(string what, string target, Func<JsonElement, IEnumerable<JsonElement>> groupsIn) =>
        UntilAsync($"agree on a leader of {what}", async cancellation =>
        {
            var groups = new List<(NatsServer Member, JsonElement Group)>();
            foreach (var member in Reachable)
            {
                groups.AddRange(groupsIn(await member.MonitorAsync(target, cancellation)).Select(group => (member, group)));
            }

            string?[] names = [.. groups.Select(group => TextIn(group.Group, "leader")).Distinct()];
            if (names is not [{ Length: > 0 } name])
            {
                return null;
            }

            // Only the leader knows how far the others are.
            var (leader, seen) = groups.FirstOrDefault(group => group.Member.Name == name);
            return leader is not null && groups.All(group => group.Member == leader || IsCurrent(seen, group.Member.Name)) ? leader : null;
        });

    /// <summary>For each reachable member, by its identity: the identities at the other ends of its routes, and the subjects wanted there.</summary>
    private async Task<Dictionary<string, Dictionary<string, HashSet<string?>>>> GetRoutesAsync(CancellationToken cancellation)
    {
        var routes = new Dictionary<string, Dictionary<string, HashSet<string?>>>();
        foreach (var member in Reachable)
        {
            var answer = await member.MonitorAsync("/routez?subs=1", cancellation);
            routes[answer.GetProperty("server_id").GetString()!] = Elements(answer, "routes")
                .GroupBy(route => route.GetProperty("remote_id").GetString()!)
                .ToDictionary(ends => ends.Key, ends => ends.SelectMany(end => Elements(end, "subscriptions_list")).Select(subject => subject.GetString()).ToHashSet());
        }

        return routes;
    }

    private static async Task<string> GetIdAsync(NatsServer member, CancellationToken cancellation)
    {
        var answer = await member.MonitorAsync("/varz", cancellation);
        return answer.GetProperty("server_id").GetString()!;
    }

    private async Task<T> UntilAsync<T>(string what, Func<CancellationToken, Task<T?>> look)
        where T : class
    {
        using var patience = new CancellationTokenSource(NatsProcess.Patience);
        try
        {
            while (true)
            {
                try
                {
                    if (await look(patience.Token) is { } found)
                    {
                        return found;
                    }
                }
                catch (HttpRequestException)
                {
                    // A member that has ended or hardly begun.
                }

                // Servers tell nobody when they agree: they have to be asked, and not without a pause.
                await Task.Delay(10, patience.Token);
            }
        }
        catch (OperationCanceledException exception)
        {
            throw new TimeoutException($"The members did not {what}.\n{Log}", exception);
        }
    }

    private static bool IsCurrent(JsonElement group, string member) =>
        Elements(group, "replicas").Any(replica => TextIn(replica, "name") == member && replica.GetProperty("current").GetBoolean());

    private static string? TextIn(JsonElement element, string name) => Children(element, name).Select(child => child.GetString()).FirstOrDefault();

    private static IEnumerable<JsonElement> Elements(JsonElement element, string name) => Children(element, name).SelectMany(child => child.EnumerateArray());

    // Go leaves out what is empty.
    private static IEnumerable<JsonElement> Children(JsonElement element, string name) => element.TryGetProperty(name, out var child) ? [child] : [];

    private static IEnumerable<(int From, int To)> Pairs(int servers) =>
        from one in Enumerable.Range(0, servers)
        from other in Enumerable.Range(0, servers)
        where one != other
        select (one, other);
}
