namespace RawPush.Fuzz.Targets;

/// <summary>What a publisher or a subscriber writes that is not a head: batch lines, batches, queries, channels in an address.</summary>
/// <remarks>Input: a byte for which of them, and what the oracle for it says.</remarks>
internal sealed class PublishTarget : IFuzzTarget
{
    public string Name => "publish";

    public void Run(byte[] input)
    {
        var source = new FuzzInput(input);
        switch ((char)source.TakeByte())
        {
            case 'B':
                BatchBodyOracle.Run(source);
                break;
            case 'Q':
                QueryOracle.Run(source.TakeRest());
                break;
            case 'A':
                AddressOracle.Run(source.TakeRest());
                break;
            default:
                BatchLineOracle.Run(source);
                break;
        }
    }
}
