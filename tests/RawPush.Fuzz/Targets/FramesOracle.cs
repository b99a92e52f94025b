using RawPush.Fuzz.References;
using RawPush.Protocol;
using RawPush.Protocol.WebSockets;
using RawPush.Protocol.WebSockets.Deflate;

namespace RawPush.Fuzz.Targets;

/// <summary>A client's bytes, whole and in pieces: <see cref="MessageReader"/> hears the same each time, and the same as <see cref="ReferenceFrames"/>.</summary>
/// <remarks>Input: a byte of options, the pieces' lengths, the bytes. Options: 1 the handler says stop each time, 2 and 4 which limit.</remarks>
internal static class FramesOracle
{
    private static readonly int[] Limits = [1 << 20, 125, 16, 1];

    private static readonly MessageInflater Inflater = new();

    public static void Run(FuzzInput source, bool takesCompressed)
    {
        int options = source.TakeByte();
        int[] lengths = source.TakePieceLengths();
        byte[] wire = source.TakeRest();
        bool stops = (options & 1) != 0;
        int limit = Limits[(options >> 1) & 3];

        string expected = string.Join('\n', ReferenceFrames.Read(wire, limit, takesCompressed));
        Oracle.Same(expected, Hear(new MessageReader(limit, takesCompressed: takesCompressed), wire, [wire.Length], stops: false), "read whole");
        int[] ends = FuzzInput.EndsOf(lengths, wire.Length);
        Oracle.Same(expected, Hear(new MessageReader(limit, takesCompressed: takesCompressed), wire, ends, stops), "read in pieces");
    }

    private static string Hear(MessageReader reader, byte[] wire, int[] ends, bool stops)
    {
        var transcript = new Transcript(stops);
        var status = MessageReadStatus.Consumed;
        int start = 0;
        foreach (int end in ends)
        {
            status = ReadPiece(ref reader, wire[start..end], ref transcript);
            if (status != MessageReadStatus.Consumed)
            {
                break;
            }

            start = end;
        }

        transcript.Lines.Add(Ending(status, reader.IsIdle, reader.ViolationStatus));
        Oracle.Holds(!reader.IsIdle || reader.BufferedBytes == 0, "an idle reader keeps bytes");
        Oracle.Holds(!transcript.HasInflater, "an inflater was not given back");
        reader.Release();
        Oracle.Same(0, reader.BufferedBytes, "bytes kept after the end");
        return string.Join('\n', transcript.Lines);
    }

    /// <summary>Gives a piece to the reader until it was taken, however often the handler says stop.</summary>
    private static MessageReadStatus ReadPiece(ref MessageReader reader, byte[] piece, ref Transcript transcript)
    {
        int at = 0;
        while (true)
        {
            byte[] before = piece[at..];
            var status = reader.Read(piece.AsSpan(at), ref transcript, out int consumed);
            if (status is MessageReadStatus.Violation or MessageReadStatus.Closed)
            {
                return status;
            }

            Oracle.SameBytes(before.AsSpan(consumed), piece.AsSpan(at + consumed), "bytes that were not consumed");
            at += consumed;
            if (status == MessageReadStatus.Consumed)
            {
                Oracle.Same(piece.Length, at, "bytes consumed");
                return status;
            }

            Oracle.Holds(consumed > 0, "stopped without having taken anything");
        }
    }

    private static string Ending(MessageReadStatus status, bool isIdle, CloseStatus violation) => status switch
    {
        MessageReadStatus.Closed => "closed",
        MessageReadStatus.Violation => ReferenceFrames.Ending(violation),
        _ => ReferenceFrames.Ending(isIdle),
    };

    private struct Transcript(bool stops) : IMessageHandler
    {
        public List<string> Lines { get; } = [];

        public bool HasInflater { get; private set; }

        public MessageInflater RentInflater()
        {
            Oracle.Holds(!HasInflater, "an inflater was rented twice");
            HasInflater = true;
            return Inflater;
        }

        public void ReturnInflater(MessageInflater inflater) => HasInflater = false;

        public readonly bool OnMessage(MessageKind kind, ReadOnlySpan<byte> payload) => Add(ReferenceFrames.Line(kind.ToString(), payload));

        public readonly bool OnPing(ReadOnlySpan<byte> payload) => Add(ReferenceFrames.Line("Ping", payload));

        public readonly bool OnPong(ReadOnlySpan<byte> payload) => Add(ReferenceFrames.Line("Pong", payload));

        public readonly void OnClose(CloseStatus status, ReadOnlySpan<byte> reason) => Add(ReferenceFrames.CloseLine((int)status, reason));

        private readonly bool Add(string line)
        {
            Lines.Add(line);
            return !stops;
        }
    }
}
