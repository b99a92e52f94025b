namespace RawPush.Fanout.Channels;

/// <summary>What becomes of a subscriber that reads so slowly that entries it has not taken leave the log.</summary>
public enum LagPolicy : byte
{
    /// <summary>It is disconnected, and may come back and resume. What it missed it is told then.</summary>
    Disconnect,

    /// <summary>It goes on at the oldest entry that is kept, after a gap notice.</summary>
    Skip,

    /// <summary>Of the entries with the same key only the newest is kept and sent, so that one who is slower than the stream gets the latest state of
    /// everything. Where entries without a key are lost it goes on as with <see cref="Skip"/>. Needs history.</summary>
    Conflate,
}
