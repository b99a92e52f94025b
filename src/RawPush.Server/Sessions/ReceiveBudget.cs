namespace RawPush.Server.Sessions;

/// <summary>When a client was last heard, and what it has sent and not paid for yet: two token buckets that hold a second's worth each, kept as what was taken out of them.</summary>
/// <remarks>
/// What was read is spent even where it is more than is left: the client is then in debt, and is not read from until that is paid. So nothing that was read
/// has to be cut and kept, and the average is the limit all the same. Sixteen bytes, brought up to date when somebody looks: nothing runs for a client that is silent.
/// </remarks>
internal struct ReceiveBudget(long nowMs)
{
    private int _bytes;
    private int _messages;

    /// <summary>The last <see cref="Refill"/>.</summary>
    public long RefilledMs { get; private set; } = nowMs;

    /// <summary>Pays back for the time since the last call. Before anything is spent, or the past would pay for it.</summary>
    /// <returns>That time, in milliseconds.</returns>
    public long Refill(long nowMs, ClientLimits limits)
    {
        long passedMs = nowMs - RefilledMs;
        if (passedMs > 0)
        {
            RefilledMs = nowMs;
            _bytes = Repay(_bytes, limits.BytesPerSecond, passedMs);
            _messages = Repay(_messages, limits.MessagesPerSecond, passedMs);
        }

        return passedMs;
    }

    public void SpendMessage() => _messages++;

    public void SpendBytes(int count) => _bytes = (int)Math.Min((long)_bytes + count, int.MaxValue);

    /// <summary>What is owed is forgiven.</summary>
    public void Forgive() => _bytes = _messages = 0;

    /// <summary>Of that the bytes.</summary>
    public void ForgiveBytes() => _bytes = 0;

    /// <summary>The limit that is exceeded, if any.</summary>
    public readonly ClientLimit Exceeded(ClientLimits limits)
    {
        if (_messages > limits.MessagesPerSecond)
        {
            return ClientLimit.Messages;
        }

        return _bytes > limits.BytesPerSecond ? ClientLimit.Bytes : ClientLimit.None;
    }

    /// <summary>How long it takes until none is exceeded.</summary>
    public readonly long DebtMs(ClientLimits limits) =>
        Math.Max(DebtMs(_messages, limits.MessagesPerSecond), DebtMs(_bytes, limits.BytesPerSecond));

    // To the nearest: the clock ticks once a second, a little more or less, and a limit of one must not lose its token to the less.
    private static int Repay(int spent, int perSecond, long passedMs) => (int)Math.Max(0, spent - (((perSecond * passedMs) + 500) / 1000));

    private static long DebtMs(int spent, int perSecond) => spent <= perSecond ? 0 : (((spent - perSecond) * 1000L) + perSecond - 1) / perSecond;
}
