using RawPush.Protocol.WebSockets;
using RawPush.TestKit;

namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>3: reserved bits, which must be 0 where no extension was negotiated (RFC 6455 section 5.2).</summary>
public sealed class ReservedBitTests(EchoHost echo) : IClassFixture<EchoHost>
{
    public static IEnumerable<TheoryDataRow<WebSocketCase>> Cases
    {
        get
        {
            var cases = new CaseList(3);
            for (int bits = 1; bits < 8; bits++)
            {
                cases.Section(bits);
                Add(cases, bits);
            }

            return cases.Rows;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public Task OverASocket(WebSocketCase sample) => SocketRunner.RunAsync(echo, sample);

    [Theory]
    [MemberData(nameof(Cases))]
    public void InTheParser(WebSocketCase sample) => ParserRunner.Run(sample);

    private static void Add(CaseList cases, int bits)
    {
        string name = Convert.ToString(bits, 2).PadLeft(3, '0');
        cases.Add($"RSV {name} on a text is refused at the first byte", [(byte)(0x81 | (bits << 4))], Reply.Refusal(1002));
        foreach (var opcode in Enum.GetValues<Opcode>().Where(opcode => opcode != Opcode.Continuation))
        {
            cases.AddRefused($"RSV {name} on a {opcode} frame is refused", 1002, With(bits, ClientFrames.Frame(opcode, [])));
        }

        cases.AddRefused(
            $"RSV {name} on a continuation is refused",
            1002,
            ClientFrames.Frame(Opcode.Text, "a"u8, isFinal: false), With(bits, ClientFrames.Frame(Opcode.Continuation, "b"u8)));
        cases.AddRefused($"RSV {name} on a ping inside a message is refused", 1002,
            ClientFrames.Frame(Opcode.Text, "a"u8, isFinal: false), With(bits, ClientFrames.Ping("b"u8)), ClientFrames.Frame(Opcode.Continuation, "c"u8));
    }

    private static byte[] With(int bits, byte[] frame) => [(byte)(frame[0] | (bits << 4)), .. frame[1..]];
}
