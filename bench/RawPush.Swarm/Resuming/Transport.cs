namespace RawPush.Swarm.Resuming;

/// <summary>The ways to receive a channel with a position.</summary>
internal enum Transport : byte
{
    WebSocket,
    Sse,
    Ndjson,
    LongPoll,
    ShortPoll,
}

/// <summary>Transports by the names of the command line.</summary>
internal static class TransportNames
{
    private static readonly string[] Names = ["websocket", "sse", "ndjson", "longpoll", "shortpoll"];

    public static string NameOf(Transport transport) => Names[(int)transport];

    /// <summary>Reads a comma list, or <c>all</c>. One that is named twice is chosen twice as often.</summary>
    public static Transport[] Read(string list) =>
        list == "all" ? Enum.GetValues<Transport>() : [.. list.Split(',').Select(Of)];

    private static Transport Of(string name) => Array.IndexOf(Names, name) is var index and >= 0
        ? (Transport)index
        : throw new ArgumentException($"'{name}' is no transport that can resume; there are {string.Join(", ", Names)} and all");
}
