namespace RawPush.Swarm.Publishing;

/// <summary>The channels that one publisher publishes to, in turn: <paramref name="First"/>, and every <paramref name="Step"/>th from there.</summary>
/// <remarks>Where each publisher has all channels, each numbers its own messages. Where they share the channels out, a channel's messages have one order.</remarks>
internal readonly record struct ChannelShare(int First, int Step, int Channels)
{
    private int Count => (Channels - First + Step - 1) / Step;

    public static ChannelShare All(int channels) => new(0, 1, channels);

    /// <summary>The channel of the message before which <paramref name="sent"/> were sent.</summary>
    public int ChannelAt(long sent) => First + (Step * (int)(sent % Count));

    /// <summary>Its number in that channel, from 1.</summary>
    public uint NumberAt(long sent) => (uint)(sent / Count) + 1;

    /// <summary>The number of a channel's last message when <paramref name="sent"/> have been sent to all of these; 0 if it is none of these.</summary>
    public uint LastNumberOf(int channel, long sent)
    {
        int turn = (channel - First) / Step;
        return (channel - First) % Step == 0 ? (uint)((sent - turn + Count - 1) / Count) : 0;
    }
}
