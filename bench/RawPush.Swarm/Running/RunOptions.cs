using RawPush.Swarm.Publishing;
using RawPush.Swarm.Resuming;

namespace RawPush.Swarm.Running;

/// <summary>One run, as the command line asks for it.</summary>
internal sealed record RunOptions
{
    public required string Name { get; init; }

    public required string Scenario { get; init; }

    public required string Dialect { get; init; }

    public required string Host { get; init; }

    public required int Port { get; init; }

    public required string Target { get; init; }

    public required string PublishDialect { get; init; }

    public required int PublishPort { get; init; }

    /// <summary>Null for the one that the server has.</summary>
    public required string? PublishPath { get; init; }

    /// <summary>The server's process; its descendants count as well. 0: nothing is measured on the server's side.</summary>
    public required int ServerPid { get; init; }

    public required int Clients { get; init; }

    public required int Channels { get; init; }

    public required int Processes { get; init; }

    public required int SourceAddresses { get; init; }

    public required int RampPerSecond { get; init; }

    public required double SettleSeconds { get; init; }

    public required double HoldSeconds { get; init; }

    public required int Publishers { get; init; }

    /// <summary>Messages per second over all channels; 0 publishes nothing.</summary>
    public required double MessagesPerSecond { get; init; }

    public required int MessageBytes { get; init; }

    /// <summary>What messages are filled with, by the name of a <see cref="Clients.Filling"/>.</summary>
    public required string Payload { get; init; }

    /// <summary>WebSocket clients offer permessage-deflate and inflate what comes deflated.</summary>
    public required bool Compression { get; init; }

    public required double LoadSeconds { get; init; }

    /// <summary>Hostile peers beside the clients, in per cent of these.</summary>
    public required int HostilePercent { get; init; }

    public required double EchoSeconds { get; init; }

    public required int SlowPercent { get; init; }

    public required int SlowBytesPerSecond { get; init; }

    public required int Storms { get; init; }

    public required int StormJitterMs { get; init; }

    public required int ChurnPerSecond { get; init; }

    /// <summary>What clients that resume choose from at each connection; empty for clients that speak the dialect and start anew.</summary>
    public required Transport[] Transports { get; init; }

    /// <summary>Seconds under load until a client drops its connection, on average; 0: it does not.</summary>
    public required double ReconnectEverySeconds { get; init; }

    public required int PollEveryMs { get; init; }

    /// <summary>Seconds that clients have to come to the end when all has been published.</summary>
    public required double DrainSeconds { get; init; }

    public required int Seed { get; init; }

    public required bool KeepsTruth { get; init; }

    public required bool WarmsUp { get; init; }

    public required string? JsonFile { get; init; }

    public bool IsResuming => Transports.Length > 0;

    public int HostilePeers => HostilePercent == 0 ? 0 : Math.Max(1, Clients * HostilePercent / 100);

    public string TransportName => IsResuming ? string.Join(',', Transports.Distinct().Select(TransportNames.NameOf)) : Dialect;

    /// <summary>What one publisher publishes to. A channel that clients resume must have its messages in one order.</summary>
    public ChannelShare ShareOf(int publisher) => IsResuming ? new ChannelShare(publisher, Publishers, Channels) : ChannelShare.All(Channels);

    /// <summary>What cannot be meant; null if all is well.</summary>
    public string? Contradiction() => Compression && !IsResuming && Dialect != "ws" ? "--compression is for --dialect ws and --transports" : (IsResuming, ReconnectEverySeconds > 0, EchoSeconds > 0, Publishers > Channels) switch
    {
        (false, true, _, _) => "--reconnect-every needs --transports: clients of a dialect cannot resume",
        (true, _, true, _) => "--echo is for clients of a dialect, not for --transports",
        (true, _, _, true) => "with --transports, each publisher needs a channel of its own: more --channels or fewer --publishers",
        _ => null,
    };
}
