namespace RawPush.Fanout.Channels;

/// <summary>Up to where messages are gone of channels that nobody remembers: an answer for whoever comes back, in memory that does not grow with the channels.</summary>
/// <remarks>
/// A table by the hash of the name. Channels that share a slot may make each other's gaps look larger than they are, never smaller: a client can be told
/// that it may have missed something when it has not, and not the reverse. Patterns look up their first token in a table of their own. Safe for threads.
/// </remarks>
internal sealed class ForgottenSequences
{
    private const int NameSlots = 1 << 16;
    private const int TokenSlots = 1 << 12;

    private readonly long[] _byName = new long[NameSlots];
    private readonly long[] _byFirstToken = new long[TokenSlots];
    private long _any;

    /// <summary>A message of the channel is gone, and so is all before it.</summary>
    public void Note(ChannelName name, long sequence)
    {
        HighWater.Raise(ref _byName[(uint)name.GetHashCode() % NameSlots], sequence);
        NoteForPatterns(name, sequence);
    }

    /// <summary>Messages may be missing that came while nobody listened, for those who come back to just this.</summary>
    public void NoteMissed(ChannelFilter filter, long sequence) => HighWater.Raise(ref SlotOf(filter), sequence);

    /// <summary>A message is gone as far as those are concerned who come back with a pattern.</summary>
    public void NoteForPatterns(ChannelName name, long sequence)
    {
        HighWater.Raise(ref SlotOf(FirstTokenOf(name.Value)), sequence);
        HighWater.Raise(ref _any, sequence);
    }

    /// <summary>The last sequence that may be missing; 0 for none.</summary>
    public long Through(ChannelFilter filter) => Volatile.Read(ref SlotOf(filter));

    private ref long SlotOf(ChannelFilter filter)
    {
        if (!filter.IsPattern)
        {
            return ref _byName[(uint)filter.GetHashCode() % NameSlots];
        }

        var token = FirstTokenOf(filter.Value);
        return ref token is "*" or ">" ? ref _any : ref SlotOf(token);
    }

    private static ReadOnlySpan<char> FirstTokenOf(ReadOnlySpan<char> name) => name.IndexOf('.') is >= 0 and int dot ? name[..dot] : name;

    private ref long SlotOf(ReadOnlySpan<char> token) => ref _byFirstToken[(uint)string.GetHashCode(token) % TokenSlots];
}
