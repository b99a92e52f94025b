using System.Text;

namespace RawPush.Swarm.Dialects;

/// <summary>SignalR's JSON hub protocol over a WebSocket, without negotiation. Records end with U+001E.</summary>
internal sealed class SignalRDialect : Dialect
{
    public override byte[] KeepAlive { get; } = Record("""{"type":6}""");

    public override byte[] Request(string host, string target, string channel) => UpgradeRequest(host, target, null);

    public override byte[] AfterOpen(string channel) =>
        [.. Record("""{"protocol":"json","version":1}"""), .. Record($$"""{"type":1,"invocationId":"0","target":"Join","arguments":["{{channel}}"]}""")];

    public override byte[] Echo(ReadOnlySpan<byte> payload) =>
        Record($$"""{"type":1,"target":"Echo","arguments":["{{Encoding.ASCII.GetString(payload)}}"]}""");

    private static byte[] Record(string json) => ClientFrame.Make(ClientFrame.Text, Encoding.UTF8.GetBytes(json + "\u001e"));
}
