using RawPush.Fanout.Channels;
using RawPush.Server.Hosting;

namespace RawPush.Server.Sessions;

/// <summary>What all sessions share, so that each holds one reference.</summary>
internal sealed record SessionServices(ChannelHub Hub, RawPushMetrics Metrics, ClientLimits Limits, ILogger<ClientSession> Logger);
