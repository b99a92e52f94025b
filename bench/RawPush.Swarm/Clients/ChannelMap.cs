namespace RawPush.Swarm.Clients;

/// <summary>What a load calls its channels.</summary>
/// <param name="Channels">How many there are, from 0.</param>
/// <param name="Groups">How many groups a pattern can stand for: <c>g2.c7</c> is in the one called <c>g2.*</c>. 0: none, and the names are as plain as <c>c7</c>.</param>
internal readonly record struct ChannelMap(int Channels, int Groups)
{
    public string NameOf(int channel) => Groups == 0 ? $"c{channel}" : $"g{channel % Groups}.c{channel}";

    public static string PatternOf(int group) => $"g{group}.*";

    public int[] ChannelsOf(int group)
    {
        int groups = Groups;
        return [.. Enumerable.Range(0, Channels).Where(channel => channel % groups == group)];
    }
}
