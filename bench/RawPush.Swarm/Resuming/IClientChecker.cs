using RawPush.Swarm.Clients;

namespace RawPush.Swarm.Resuming;

/// <summary>Judges what one client sees over all its connections. Knows nothing of sockets or transports.</summary>
internal interface IClientChecker
{
    /// <summary>What has been processed wholly, and where to resume; null until the server has said.</summary>
    EntryId? Position { get; }

    void OnMessage(in EntryId id, in Payload payload);

    /// <summary>A notice that something is missing here.</summary>
    /// <param name="gap">What it says.</param>
    /// <param name="resumeAt">Where to resume behind it; null where something else says that.</param>
    /// <param name="channels">The channels that it speaks of.</param>
    void OnGap(in Gap gap, in EntryId? resumeAt, ReadOnlySpan<int> channels);

    /// <summary>The server says where to go on, without a message there.</summary>
    void OnPosition(in EntryId next);

    /// <summary>From here on everything is published: a client that knows where it is must get it from the first message on.</summary>
    void BeginLoad();

    /// <summary>Whether the client has come to the last message of each of its channels, or knows that it has missed it.</summary>
    bool HasReached(Fates fates);

    /// <summary>Nothing more is published, and there was time to get what was.</summary>
    void AddEnd(Fates fates, Verdict end);
}
