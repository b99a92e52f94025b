using RawPush.Fanout.Delivery;

namespace RawPush.Fanout.Tests.Delivery;

/// <summary>A shard whose turns run when the test says so, on the thread of the test.</summary>
internal sealed class ManualShard(int index = 0) : Shard(index)
{
    public bool IsIdle => !HasWork;

    public void Turn()
    {
        Enter();
        RunTurn();
        Exit();
    }

    /// <summary>Turns until there is nothing left to do.</summary>
    public void RunAll()
    {
        while (HasWork)
        {
            Turn();
        }
    }

    /// <summary>Runs the work in a turn of its own. Deliveries that wait get their share of that turn as well.</summary>
    public void Do(Action work)
    {
        Post(work);
        Turn();
    }

    protected override void Wake()
    {
        // The test decides.
    }
}
