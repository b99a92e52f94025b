namespace RawPush.Fanout.Channels;

/// <summary>Where a subscriber starts to read.</summary>
public readonly record struct StartPoint
{
    private enum StartKind : byte
    {
        Latest,
        Earliest,
        After,
        Last,
    }

    private StartKind Kind { get; init; }

    private MessageId Id { get; init; }

    private int Number { get; init; }

    /// <summary>With what is published from now on.</summary>
    public static StartPoint Latest => default;

    /// <summary>With the oldest entry that is kept.</summary>
    public static StartPoint Earliest => new() { Kind = StartKind.Earliest };

    /// <summary>Nothing from before is wanted.</summary>
    public bool IsLatest => Kind == StartKind.Latest;

    /// <summary>It has no position of its own from which something could be missing: what is no longer kept is no gap.</summary>
    public bool IsOpen => Kind != StartKind.After;

    /// <summary>A position that the client knows; null otherwise.</summary>
    public MessageId? Position => Kind == StartKind.After ? Id : null;

    /// <summary>How many of the newest entries are wanted; 0 otherwise.</summary>
    public int Count => Kind == StartKind.Last ? Number : 0;

    /// <summary>Behind a message that the client has seen. What is no longer kept of what followed is announced as a gap.</summary>
    public static StartPoint After(MessageId id) => new() { Kind = StartKind.After, Id = id };

    /// <summary>With the newest <paramref name="count"/> entries, from 1.</summary>
    public static StartPoint Last(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return new StartPoint { Kind = StartKind.Last, Number = count };
    }
}
