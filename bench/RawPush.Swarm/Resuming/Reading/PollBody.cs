using System.Text.Json;

namespace RawPush.Swarm.Resuming.Reading;

/// <summary>The body of an answer to a poll. Its gaps stand behind its messages and come before some of them, so they are read first and told of in their place.</summary>
internal ref struct PollBody
{
    // Where the messages begin; a reader is a struct, and its copy goes on from there.
    private Utf8JsonReader _messages;
    private ReadOnlySpan<byte> _next;
    private List<(Gap Gap, byte[] Channel)>? _gaps;
    private bool _isWrong;

    public static PollBody Read(ReadOnlySpan<byte> json)
    {
        var body = default(PollBody);
        var reader = new Utf8JsonReader(json);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.ValueSpan;
            reader.Read();
            body.Take(name, ref reader);
        }

        return body;
    }

    public readonly bool TryGetNext(out EntryId next) => EntryId.TryRead(_next, out next);

    /// <summary>Tells of messages and gaps in the order of their ids; returns how many messages there were.</summary>
    public readonly int TellAll(ITransportSink sink)
    {
        int count = 0;
        int told = 0;
        var reader = _messages;
        bool isWrong = _isWrong || reader.TokenType != JsonTokenType.StartArray;
        while (!isWrong && reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            var envelope = Envelope.ReadObject(ref reader);
            told = TellGaps(told, envelope, sink);
            isWrong = !envelope.TryTell(sink);
            count++;
        }

        TellGaps(told, default, sink);
        if (isWrong || reader.TokenType != JsonTokenType.EndArray)
        {
            sink.OnMalformed("an answer to a poll with something missing");
        }

        return count;
    }

    /// <summary>Tells of the gaps that end before a message, or of all that are left; returns how many have been told of.</summary>
    private readonly int TellGaps(int told, Envelope before, ITransportSink sink)
    {
        for (; told < (_gaps?.Count ?? 0); told++)
        {
            var (gap, channel) = _gaps![told];
            if (before.TryGetId(out var id) && gap.To.IsAfter(id))
            {
                break;
            }

            sink.OnGap(gap, resumeAt: null, channel);
        }

        return told;
    }

    private void Take(ReadOnlySpan<byte> name, ref Utf8JsonReader reader)
    {
        if (name.SequenceEqual("gaps"u8))
        {
            TakeGaps(ref reader);
        }
        else if (name.SequenceEqual("next"u8))
        {
            _next = reader.TokenType == JsonTokenType.String ? reader.ValueSpan : default;
        }
        else
        {
            _messages = name.SequenceEqual("messages"u8) ? reader : _messages;
            reader.Skip();
        }
    }

    private void TakeGaps(ref Utf8JsonReader reader)
    {
        _gaps = [];
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            var envelope = Envelope.ReadObject(ref reader);
            _isWrong |= !envelope.TryGetGap(out var gap);
            _gaps.Add((gap, envelope.Channel.ToArray()));
        }

        _isWrong |= reader.TokenType != JsonTokenType.EndArray;
    }
}
