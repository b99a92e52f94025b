using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Tests.Model;

/// <summary>A message as the model knows it. Its sequence is its place in the list of all.</summary>
internal sealed record ModelMessage(long Sequence, ChannelName Channel, string? Key, long TimeMs, long ExpiresMs)
{
    public bool IsSuperseded { get; set; }

    public bool IsVoid(long nowMs) => IsSuperseded || ExpiresMs <= nowMs;
}

/// <summary>Everything that was published, and what must still be kept of it.</summary>
internal sealed class ModelStream(IReadOnlyList<ChannelNamespace> namespaces)
{
    private static readonly ChannelNamespace Others = new() { Pattern = ChannelFilter.Parse(">") };

    private readonly Dictionary<ChannelName, List<ModelMessage>> _kept = [];

    public List<ModelMessage> All { get; } = [];

    public ChannelNamespace NamespaceOf(ChannelFilter filter) => namespaces.FirstOrDefault(one => one.Pattern.Covers(filter), Others);

    public void Publish(ChannelName channel, string? key, long nowMs, TimeSpan? expires)
    {
        long expiresMs = expires is { } after ? nowMs + (long)after.TotalMilliseconds : long.MaxValue;
        var message = new ModelMessage(All.Count + 1, channel, key, nowMs, expiresMs);
        All.Add(message);
        var settings = NamespaceOf(channel);
        if (!_kept.TryGetValue(channel, out var kept))
        {
            _kept[channel] = kept = [];
        }

        if (settings.LagPolicy == LagPolicy.Conflate && key is not null)
        {
            All.FindAll(older => older.Channel == channel && older.Key == key && older != message).ForEach(older => older.IsSuperseded = true);
            kept.RemoveAll(older => older.IsSuperseded);
        }

        kept.Add(message);
        kept.RemoveRange(0, Math.Max(0, kept.Count - settings.HistoryEntries));
    }

    /// <summary>What somebody who comes now must find.</summary>
    public HashSet<long> KeptAt(long nowMs) =>
        [.. _kept.Values.SelectMany(kept => kept).Where(message => IsYoung(message, nowMs) && !message.IsVoid(nowMs)).Select(message => message.Sequence)];

    /// <summary>The newest that are of use.</summary>
    public IEnumerable<long> NewestAt(long nowMs, int count, ChannelFilter[] filters) =>
        All.Where(message => !message.IsVoid(nowMs) && filters.Any(filter => filter.Matches(message.Channel))).Select(message => message.Sequence).TakeLast(count);

    private bool IsYoung(ModelMessage message, long nowMs) =>
        message.TimeMs > nowMs - (long)NamespaceOf(message.Channel).HistoryAge.TotalMilliseconds;
}
