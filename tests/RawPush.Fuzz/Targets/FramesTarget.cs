namespace RawPush.Fuzz.Targets;

/// <summary>A client's frames, none of them compressed.</summary>
/// <remarks>Input: what <see cref="FramesOracle"/> says.</remarks>
internal sealed class FramesTarget : IFuzzTarget
{
    public string Name => "frames";

    public void Run(byte[] input) => FramesOracle.Run(new FuzzInput(input), takesCompressed: false);
}
