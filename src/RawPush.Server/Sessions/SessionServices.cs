using Microsoft.Extensions.ObjectPool;
using RawPush.Fanout.Channels;
using RawPush.Protocol.WebSockets.Deflate;
using RawPush.Server.Hosting;

namespace RawPush.Server.Sessions;

/// <summary>What all sessions share, so that each holds one reference.</summary>
/// <param name="Hub">The channels.</param>
/// <param name="Metrics">The instruments.</param>
/// <param name="Limits">On what clients send.</param>
/// <param name="Inflaters">For messages that clients compress. A shard needs one at a time, so there are no more than shards.</param>
/// <param name="Logger">For what becomes of sessions.</param>
internal sealed record SessionServices(ChannelHub Hub, RawPushMetrics Metrics, ClientLimits Limits, ObjectPool<MessageInflater> Inflaters, ILogger<ClientSession> Logger);
