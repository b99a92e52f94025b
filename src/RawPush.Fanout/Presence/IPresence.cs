using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Presence;

/// <summary>Says who is on a channel, over all nodes that share it. Safe for threads.</summary>
/// <remarks>Nothing is kept up to date for this: nodes are asked when somebody asks, and their answer serves everybody for one second. It takes as long as the slowest node, at most one
/// second, after which the sum is told to be a part (<see cref="PresenceReport.Nodes"/>).</remarks>
public interface IPresence
{
    /// <summary>Counts subscribers.</summary>
    /// <param name="channel">A channel's name, or a pattern: those who subscribe to that pattern, and not those of the channels that match it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="PresenceBusyException">Too many other channels are asked about.</exception>
    Task<PresenceReport> CountAsync(ChannelFilter channel, CancellationToken cancellationToken = default);

    /// <summary>Counts subscribers, and finds out which users they are. Costs a look at each subscriber, where there are users.</summary>
    /// <inheritdoc cref="CountAsync"/>
    Task<PresenceReport> FindUsersAsync(ChannelFilter channel, CancellationToken cancellationToken = default);
}
