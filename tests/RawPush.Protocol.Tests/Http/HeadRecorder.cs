using System.Buffers;
using System.Text;
using RawPush.Protocol.Http;

namespace RawPush.Protocol.Tests.Http;

/// <summary>A handler that writes down all it is told, and what the parser said in the end.</summary>
internal struct HeadRecorder : IRequestHeadHandler
{
    private StringBuilder? _heard;

    public bool Declines { get; init; }

    public readonly string Heard => _heard?.ToString() ?? "";

    public bool OnRequestLine(ReadOnlySpan<byte> method, ReadOnlySpan<byte> target, HttpVersion version)
    {
        Note($"{Encoding.Latin1.GetString(method)}|{Encoding.Latin1.GetString(target)}|{version}\n");
        return !Declines;
    }

    public void OnField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        Note($"{Encoding.Latin1.GetString(name)}={Encoding.Latin1.GetString(value)}\n");

    private void Note(string line) => (_heard ??= new StringBuilder()).Append(line);
}

/// <summary>Everything that can be seen of a parse. Two ways of cutting the same bytes must give equal ones.</summary>
internal sealed record HeadOutcome(HeadStatus Status, HeadRefusal Refusal, int BytesConsumed, bool HasRequestLine, string Heard)
{
    public static HeadOutcome Of(in RequestHeadParser parser, HeadStatus status, in HeadRecorder recorder) =>
        new(status, parser.Refusal, parser.BytesConsumed, parser.HasRequestLine, recorder.Heard);

    /// <summary>Parses growing heads until the decision, as a caller would.</summary>
    public static HeadOutcome Of(RequestHeadLimits limits, bool declines, params ReadOnlySequence<byte>[] reads)
    {
        var parser = new RequestHeadParser(limits);
        var recorder = new HeadRecorder { Declines = declines };
        HeadStatus status = HeadStatus.NeedMore;
        foreach (ReadOnlySequence<byte> read in reads)
        {
            status = parser.Parse(read, ref recorder);
            if (status != HeadStatus.NeedMore)
            {
                break;
            }
        }

        return Of(parser, status, recorder);
    }
}
