namespace RawPush.Fuzz.Targets;

/// <summary>permessage-deflate: compressed messages alone and in frames, what is agreed on, and what the server compresses itself.</summary>
/// <remarks>Input: a byte for which of them, and what the oracle for it says.</remarks>
internal sealed class DeflateTarget : IFuzzTarget
{
    public string Name => "deflate";

    public void Run(byte[] input)
    {
        var source = new FuzzInput(input);
        switch ((char)source.TakeByte())
        {
            case 'F':
                FramesOracle.Run(source, takesCompressed: true);
                break;
            case 'N':
                NegotiationOracle.Run(source.TakeRest());
                break;
            case 'R':
                RoundTripOracle.Run(source);
                break;
            default:
                InflateOracle.Run(source);
                break;
        }
    }
}
