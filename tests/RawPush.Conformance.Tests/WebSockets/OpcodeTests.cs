using RawPush.Protocol.WebSockets;
using RawPush.TestKit;

namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>4: reserved opcodes; an unknown one fails the connection (RFC 6455 section 5.2).</summary>
public sealed class OpcodeTests(EchoHost echo) : IClassFixture<EchoHost>
{
    private static readonly int[] Reserved = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15];

    public static IEnumerable<TheoryDataRow<WebSocketCase>> Cases
    {
        get
        {
            var cases = new CaseList(4);
            cases.Section(1);
            foreach (int opcode in Reserved)
            {
                cases.Add($"Opcode {opcode} is refused at the first byte", [(byte)(0x80 | opcode)], Reply.Refusal(1002));
            }

            cases.Section(2);
            foreach (int opcode in Reserved)
            {
                cases.AddRefused($"A whole frame of opcode {opcode} behind a message is refused, and what follows is not read", 1002,
                    ClientFrames.Frame((Opcode)opcode, "a"u8), ClientFrames.Text("after"));
            }

            cases.Section(3);
            foreach (int opcode in Reserved)
            {
                cases.AddRefused($"Opcode {opcode} inside a message is refused", 1002,
                    ClientFrames.Frame(Opcode.Text, "a"u8, isFinal: false), ClientFrames.Frame((Opcode)opcode, []), ClientFrames.Frame(Opcode.Continuation, "b"u8));
            }

            cases.Section(4);
            foreach (int opcode in Reserved)
            {
                cases.AddRefused($"Opcode {opcode} on a frame that is not final is refused", 1002, ClientFrames.Frame((Opcode)opcode, "a"u8, isFinal: false));
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
}
