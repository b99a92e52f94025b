namespace RawPush.Fanout.Delivery;

/// <summary>A shard that runs on the thread pool, one turn at a time, whenever it has work. Costs nothing while idle.</summary>
public sealed class ThreadPoolShard(int index) : Shard(index), IThreadPoolWorkItem
{
    private int _scheduled;

    void IThreadPoolWorkItem.Execute()
    {
        Enter();
        RunTurn();
        Exit();
        Interlocked.Exchange(ref _scheduled, 0);

        // Work that came between the end of the turn and the line above found us scheduled and did not wake us.
        if (HasWork)
        {
            Wake();
        }
    }

    /// <inheritdoc/>
    protected override void Wake()
    {
        if (Interlocked.Exchange(ref _scheduled, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }
}
