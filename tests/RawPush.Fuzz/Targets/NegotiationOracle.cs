using System.Text;
using RawPush.Fuzz.References;
using RawPush.Protocol.WebSockets.Deflate;

namespace RawPush.Fuzz.Targets;

/// <summary>Of the extensions that a client offers, <see cref="PermessageDeflate"/> takes the one that <see cref="ReferenceExtensions"/> takes.</summary>
/// <remarks>Input: the list.</remarks>
internal static class NegotiationOracle
{
    public static void Run(byte[] list)
    {
        bool isList = PermessageDeflate.TryChoose(list, out string? response);
        Oracle.Holds(isList || response is null, "something was chosen of a list that is malformed");
        Oracle.Same(ReferenceExtensions.Choose(Encoding.Latin1.GetString(list)) ?? "malformed", isList ? response ?? "" : "malformed", "the answer");
    }
}
