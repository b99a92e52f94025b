using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Brokers.Nats.Nodes;

/// <summary>What a node asks all others.</summary>
/// <param name="Channel">About which channel, or pattern.</param>
/// <param name="WithUsers">Which users as well, and not only how many subscribers.</param>
internal readonly record struct NodeQuestion(ChannelFilter Channel, bool WithUsers);
