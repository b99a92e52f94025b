using System.Text.Json;
using System.Text.Json.Serialization;

namespace RawPush.Swarm.Comparing;

/// <summary>A server to compare, over one transport, as <c>peers.json</c> describes it.</summary>
/// <param name="Name">Its folder beside the file, with <c>run.sh PORT</c>.</param>
/// <param name="Title">Its name in the table.</param>
/// <param name="Version">Its version; or <paramref name="VersionCommand"/> prints it.</param>
/// <param name="VersionCommand">A shell command whose first line of output is the version; run in the peer's folder.</param>
/// <param name="Transport">ws or sse.</param>
/// <param name="Dialect">How to talk to it.</param>
/// <param name="Subscribe">The target of a subscription.</param>
/// <param name="Publish">How to publish to it.</param>
/// <param name="Echo">The target of its echo; the dialect's name if that brings its own; null if it has none.</param>
/// <param name="Settings">What was set, and why.</param>
/// <param name="HasChannels">False: it sends everything to everybody, and is left out of loads with several channels.</param>
internal sealed record Peer(
    string Name, string Title, string? Version, string? VersionCommand, string Transport, string Dialect, string Subscribe, PeerPublish Publish, string? Echo, string Settings,
    bool HasChannels = true)
{
    public static List<Peer> ReadAll(string file) => JsonSerializer.Deserialize(File.ReadAllText(file), PeerJson.Default.ListPeer)!;
}

/// <summary>How to publish to a peer.</summary>
internal sealed record PeerPublish(string Dialect, int PortOffset, string? Path);

/// <summary>A load that every server of a transport gets.</summary>
internal sealed record Scenario
{
    public required string Name { get; init; }

    /// <summary>What it is, for the table.</summary>
    public required string Title { get; init; }

    public required string Transport { get; init; }

    public required int Clients { get; init; }

    public int Channels { get; set; } = 1;

    public int Publishers { get; set; } = 1;

    public double MessagesPerSecond { get; init; }

    public int MessageBytes { get; set; } = 128;

    public double LoadSeconds { get; init; }

    public double HoldSeconds { get; init; }

    public double SettleSeconds { get; set; } = 3;

    public double EchoSeconds { get; init; }

    public static List<Scenario> ReadAll(string file) => JsonSerializer.Deserialize(File.ReadAllText(file), PeerJson.Default.ListScenario)!;
}

/// <summary>The files beside <c>compare.sh</c>.</summary>
[JsonSerializable(typeof(List<Peer>))]
[JsonSerializable(typeof(List<Scenario>))]
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
internal sealed partial class PeerJson : JsonSerializerContext;
