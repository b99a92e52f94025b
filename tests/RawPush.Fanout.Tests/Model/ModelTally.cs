namespace RawPush.Fanout.Tests.Model;

/// <summary>What came to pass in the runs of a model.</summary>
internal sealed record ModelTally
{
    public int Delivered { get; set; }

    public int RetentionGaps { get; set; }

    public int SlowGaps { get; set; }

    public int EpochGaps { get; set; }

    public int Lagged { get; set; }

    public int Resumed { get; set; }
}
