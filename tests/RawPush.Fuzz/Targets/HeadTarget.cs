using System.Buffers;
using System.Text;
using RawPush.Fuzz.References;
using RawPush.Protocol.Http;
using RawPush.TestKit;

namespace RawPush.Fuzz.Targets;

/// <summary>A request head, whole and as it grows, in one segment and in several: <see cref="RequestHeadParser"/> decides the same each time, and the same as
/// <see cref="ReferenceHead"/>. What it hands on is then taken apart, and compared with <see cref="ReferenceFieldValue"/>.</summary>
/// <remarks>Input: a byte of options, the pieces' lengths, the bytes. Options: 1 the handler declines, 2 and 4 which limits.</remarks>
internal sealed class HeadTarget : IFuzzTarget
{
    private static readonly RequestHeadLimits[] Limits =
    [
        new(),
        new() { LineBytesMax = 48 },
        new() { HeadBytesMax = 80 },
        new() { FieldsMax = 2, LineBytesMax = 64, HeadBytesMax = 96 },
    ];

    public string Name => "head";

    public void Run(byte[] input)
    {
        var source = new FuzzInput(input);
        int options = source.TakeByte();
        int[] lengths = source.TakePieceLengths();
        byte[] wire = source.TakeRest();
        bool declines = (options & 1) != 0;
        var limits = Limits[(options >> 1) & 3];

        int[] ends = FuzzInput.EndsOf(lengths, wire.Length);
        var expected = ReferenceHead.Read(wire, limits, declines);
        Oracle.Same(expected, Parse(limits, declines, [new ReadOnlySequence<byte>(wire)]), "parsed whole");
        Oracle.Same(expected, Parse(limits, declines, ends.Select(end => new ReadOnlySequence<byte>(wire, 0, end))), "parsed as it grew");
        Oracle.Same(expected, Parse(limits, declines, ends.Select(end => Segments(wire, ends, end))), "parsed as it grew in segments");
        Oracle.Same(expected, Parse(limits, declines, [Segments(wire, ends, wire.Length)]), "parsed from segments");
    }

    private static ReadOnlySequence<byte> Segments(byte[] wire, int[] ends, int length)
    {
        int[] starts = [0, .. ends.Where(end => end < length)];
        return SplitSequence.Of([.. starts.Zip([.. starts.Skip(1), length], (start, end) => wire[start..end].AsMemory())]);
    }

    private static HeadOutcome Parse(RequestHeadLimits limits, bool declines, IEnumerable<ReadOnlySequence<byte>> reads)
    {
        var parser = new RequestHeadParser(limits);
        var recorder = new Recorder(declines);
        var status = HeadStatus.NeedMore;
        var last = default(ReadOnlySequence<byte>);
        foreach (var read in reads)
        {
            last = read;
            status = parser.Parse(read, ref recorder);
            if (status != HeadStatus.NeedMore)
            {
                break;
            }
        }

        Oracle.Same(status, parser.Parse(last, ref recorder), "asked again");
        Oracle.Same(status == HeadStatus.Refused, parser.Refusal.Reason is not null, "a reason for refused heads");
        return new HeadOutcome(status, parser.Refusal.StatusCode, parser.BytesConsumed, parser.HasRequestLine, recorder.Heard.ToString());
    }

    /// <summary>Writes down what it hears, and asks of it what the server asks.</summary>
    private readonly struct Recorder(bool declines) : IRequestHeadHandler
    {
        public StringBuilder Heard { get; } = new();

        public bool OnRequestLine(scoped ReadOnlySpan<byte> method, scoped ReadOnlySpan<byte> target, HttpVersion version)
        {
            string text = Encoding.Latin1.GetString(target);
            Heard.Append(HeadOutcome.RequestLine(Encoding.Latin1.GetString(method), text, version));
            Oracle.Same(ReferenceFieldValue.SplitTarget(text), SplitTarget(target), "the target's parts");
            return !declines;
        }

        public void OnField(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value)
        {
            string text = Encoding.Latin1.GetString(value);
            Heard.Append(HeadOutcome.Field(Encoding.Latin1.GetString(name), text));
            Oracle.Same(ReferenceFieldValue.ContainsToken(text, "websocket"), FieldValue.ContainsToken(value, "websocket"u8), "the list holds the token");
            Oracle.Same(
                ReferenceFieldValue.AcceptsMediaType(text, "text/event-stream"), FieldValue.AcceptsMediaType(value, "text/event-stream"u8), "the media type is accepted");
        }

        private static (string Authority, string Path, string Query)? SplitTarget(ReadOnlySpan<byte> target) => RequestTarget.TryParse(target, out var parts)
            ? (Encoding.Latin1.GetString(parts.Authority), Encoding.Latin1.GetString(parts.Path), Encoding.Latin1.GetString(parts.Query))
            : null;
    }
}
