using RawPush.Fanout.Channels;
using RawPush.Server.Connections;
using RawPush.Server.Hosting;

namespace RawPush.Server.Sessions;

/// <summary>What all sessions share, so that each holds one reference.</summary>
internal sealed record SessionServices(
    ChannelHub Hub, ConnectionTimeouts Timeouts, RawPushMetrics Metrics, ILogger<ClientSession> Logger);
