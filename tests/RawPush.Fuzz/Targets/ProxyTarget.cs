namespace RawPush.Fuzz.Targets;

/// <summary>What proxies say of the client: the PROXY protocol's header, Forwarded, X-Forwarded-For.</summary>
/// <remarks>Input: a byte for which of them, the text or the bytes.</remarks>
internal sealed class ProxyTarget : IFuzzTarget
{
    public string Name => "proxy";

    public void Run(byte[] input)
    {
        var source = new FuzzInput(input);
        switch ((char)source.TakeByte())
        {
            case 'F':
                ForwardedOracle.Run(source.TakeRest(), isForwarded: true);
                break;
            case 'X':
                ForwardedOracle.Run(source.TakeRest(), isForwarded: false);
                break;
            default:
                ProxyHeaderOracle.Run(source.TakeRest());
                break;
        }
    }
}
