namespace RawPush.Swarm.Resuming;

/// <summary>Why a server cannot give a client what it has missed.</summary>
internal enum GapReason : byte
{
    /// <summary>The log does not reach back so far.</summary>
    Retention,

    /// <summary>The client read too slowly.</summary>
    Slow,

    /// <summary>The node was cut off from the others, or something of theirs did not come through.</summary>
    Bus,

    /// <summary>The client's position is of another life of the log.</summary>
    Epoch,
}

/// <summary>A server's notice: of what is after <paramref name="From"/>, up to and with <paramref name="To"/>, something is missing here.</summary>
internal readonly record struct Gap(EntryId From, EntryId To, GapReason Reason)
{
    /// <summary>Whether the notice contradicts itself.</summary>
    public bool IsAbsurd => From.IsOfEpochOf(To) ? Reason == GapReason.Epoch || !To.IsAfter(From) : Reason != GapReason.Epoch;
}
