using System.Text;
using RawPush.Fuzz.References;
using RawPush.Protocol.Proxy;

namespace RawPush.Fuzz.Targets;

/// <summary>A list that proxies have appended to: <see cref="ForwardedReader"/> takes from its end what <see cref="ReferenceForwarded"/> does, and nothing that it begins with
/// changes what was appended to it.</summary>
/// <remarks>Input: the list.</remarks>
internal static class ForwardedOracle
{
    private static readonly HostAddress Appended = ReferenceAddress.ReadIPv6("2001:db8::1")!.Value;

    public static void Run(byte[] list, bool isForwarded)
    {
        ReadOnlySpan<byte> rest = list;
        foreach (var (address, before) in ReferenceForwarded.ReadAll(Encoding.Latin1.GetString(list), isForwarded))
        {
            Oracle.Holds(TryTake(ref rest, isForwarded, out var taken), $"{address} was not taken");
            Oracle.Same(address, taken, "the address");
            Oracle.SameBytes(list.AsSpan(0, before), rest, "what stands before it");
            Oracle.Same(taken, HostAddress.From(taken.ToIPAddress()), "the address as an object");
        }

        Oracle.Holds(!TryTake(ref rest, isForwarded, out var other), $"{other} was taken");

        rest = (byte[])[.. list, .. isForwarded ? ",proto=http;for=\"[2001:db8::1]:80\""u8 : ", 2001:db8::1"u8];
        Oracle.Holds(TryTake(ref rest, isForwarded, out var last) && last == Appended, "what was appended was not taken");
        Oracle.SameBytes(list, rest, "what it was appended to");
    }

    private static bool TryTake(ref ReadOnlySpan<byte> list, bool isForwarded, out HostAddress address) => isForwarded
        ? ForwardedReader.TryTakeForwarded(ref list, out address)
        : ForwardedReader.TryTakeForwardedFor(ref list, out address);
}
