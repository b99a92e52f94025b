namespace RawPush.Swarm.Hostile;

/// <summary>The steps that scripts of hostile peers are made of.</summary>
internal enum ActKind : byte
{
    Send,
    Wait,

    /// <summary>Go on when the response head has come and says yes.</summary>
    AwaitHead,

    /// <summary>Read nothing any more, and have hardly any room for it.</summary>
    StopReading,
    Leave,
    LeaveWithReset,
}

/// <summary>One step.</summary>
internal readonly record struct Act(ActKind Kind, byte[]? Bytes = null, int Ms = 0)
{
    public static readonly Act AwaitHead = new(ActKind.AwaitHead);
    public static readonly Act StopReading = new(ActKind.StopReading);
    public static readonly Act Leave = new(ActKind.Leave);
    public static readonly Act LeaveWithReset = new(ActKind.LeaveWithReset);

    public static Act Send(byte[] bytes) => new(ActKind.Send, bytes);

    public static Act Wait(int ms) => new(ActKind.Wait, Ms: ms);
}
