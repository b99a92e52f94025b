using RawPush.Swarm.Resuming;

namespace RawPush.Swarm.Clients;

/// <summary>Where a client stands.</summary>
internal enum ClientState : byte
{
    Closed,
    Connecting,

    /// <summary>The request is sent; the response head has not come.</summary>
    Asking,
    Open,
}

/// <summary>One simulated client. Everything about it is touched by its worker's one thread.</summary>
internal sealed class SwarmClient(int id, int channel, bool isSlow)
{
    public int Id { get; } = id;

    public int Channel { get; } = channel;

    /// <summary>Reads nothing, or only as much as the pace of slow readers allows.</summary>
    public bool IsSlow { get; } = isSlow;

    /// <summary>Where it is connected, or was.</summary>
    public int Node { get; set; }

    /// <summary>Its last attempt to connect has failed: another node may be better.</summary>
    public bool IsTurnedAway { get; set; }

    public int Socket { get; set; } = -1;

    public ClientState State { get; set; }

    /// <summary>When a client that was dropped comes back.</summary>
    public long ReopenAt { get; set; }

    /// <summary>Bytes of the response head that came before its end.</summary>
    public byte[]? HeadBytes { get; set; }

    /// <summary>Truth: the last number seen, per publisher; 0 for none since the connection began.</summary>
    public uint[]? LastNumbers { get; set; }

    /// <summary>The answers of a client that polls; null for one that streams.</summary>
    public PollReader? Polls { get; set; }

    /// <summary>What a client that resumes is over all its connections; null for one that starts anew.</summary>
    public ResumingClient? Resuming { get; init; }

    /// <summary>Its connection is there before any answer comes.</summary>
    public bool IsPolling => Resuming?.IsPolling ?? Polls is not null;

#pragma warning disable CA1051 // Mutable structs that live here: a property would hand out copies.
    public FrameSkimmer Frames;
    public PayloadScanner Payloads;
#pragma warning restore CA1051
}
