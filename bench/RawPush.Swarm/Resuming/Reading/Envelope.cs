using System.Text;
using System.Text.Json;

namespace RawPush.Swarm.Resuming.Reading;

/// <summary>The JSON around a message or a notice of a gap, on every transport that has one.</summary>
/// <remarks><code>
/// {"channel":"news","id":"19a8c3f2b41e07d-42","data":"..."}
/// {"gap":{"channel":"news","from":"...","to":"...","reason":"retention"},"id":"..."}
/// </code></remarks>
internal ref struct Envelope
{
    private ReadOnlySpan<byte> _id;
    private ReadOnlySpan<byte> _data;
    private ReadOnlySpan<byte> _from;
    private ReadOnlySpan<byte> _to;
    private ReadOnlySpan<byte> _reason;
    private bool _isGap;

    public ReadOnlySpan<byte> Channel { get; private set; }

    /// <summary>Tells the sink of the one envelope that <paramref name="json"/> is.</summary>
    public static void Read(ReadOnlySpan<byte> json, ITransportSink sink)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            var envelope = reader.Read() ? ReadObject(ref reader) : default;
            if (reader.Read() || !envelope.TryTell(sink))
            {
                sink.OnMalformed("an envelope with something missing");
            }
        }
        catch (JsonException exception)
        {
            sink.OnMalformed($"an envelope that is not JSON: {exception.Message}");
        }
    }

    /// <summary>Reads one object, at whose beginning the reader stands; leaves it at the end.</summary>
    public static Envelope ReadObject(scoped ref Utf8JsonReader reader)
    {
        var envelope = default(Envelope);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.ValueSpan;
            reader.Read();
            if (reader.TokenType == JsonTokenType.StartObject && name.SequenceEqual("gap"u8))
            {
                envelope = ReadObject(ref reader);
                envelope._isGap = true;
            }
            else
            {
                envelope.Set(name, TextOf(ref reader));
            }
        }

        return envelope;
    }

    public readonly bool TryGetId(out EntryId id) => EntryId.TryRead(_id, out id);

    public readonly bool TryGetGap(out Gap gap)
    {
        gap = default;
        if (!EntryId.TryRead(_from, out var from) || !EntryId.TryRead(_to, out var to) || !TryReadReason(_reason, out var reason))
        {
            return false;
        }

        gap = new Gap(from, to, reason);
        return true;
    }

    public readonly bool TryTell(ITransportSink sink)
    {
        if (_isGap)
        {
            if (TryGetGap(out var gap))
            {
                sink.OnGap(gap, TryGetId(out var resumeAt) ? resumeAt : null, Channel);
                return true;
            }
        }
        else if (TryGetId(out var id) && !Channel.IsEmpty)
        {
            sink.OnMessage(id, Channel, _data);
            return true;
        }

        return false;
    }

    /// <summary>A string's text; empty for what is no string, which is then missing where it is needed.</summary>
    private static ReadOnlySpan<byte> TextOf(scoped ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            reader.Skip();
            return default;
        }

        return reader.ValueIsEscaped ? Encoding.UTF8.GetBytes(reader.GetString()!) : reader.ValueSpan;
    }

    private static bool TryReadReason(ReadOnlySpan<byte> text, out GapReason reason)
    {
        reason = text.SequenceEqual("retention"u8) ? GapReason.Retention : text.SequenceEqual("slow"u8) ? GapReason.Slow : text.SequenceEqual("bus"u8) ? GapReason.Bus : GapReason.Epoch;
        return reason != GapReason.Epoch || text.SequenceEqual("epoch"u8);
    }

    // Names that are not known are for later versions to have.
    private void Set(ReadOnlySpan<byte> name, ReadOnlySpan<byte> text)
    {
        if (name.SequenceEqual("channel"u8))
        {
            Channel = text;
        }
        else if (name.SequenceEqual("id"u8))
        {
            _id = text;
        }
        else if (name.SequenceEqual("data"u8))
        {
            _data = text;
        }
        else if (name.SequenceEqual("from"u8))
        {
            _from = text;
        }
        else if (name.SequenceEqual("to"u8))
        {
            _to = text;
        }
        else if (name.SequenceEqual("reason"u8))
        {
            _reason = text;
        }
    }
}
