using System.Buffers.Text;
using System.Text.Json;

namespace RawPush.Swarm.Resuming.Reading;

/// <summary>Server-Sent Events (WHATWG HTML, section 9.2.6), as far as this server writes them: its lines end with LF alone.</summary>
/// <remarks><code>
/// id: 19a8c3f2b41e07d-42          event: rawpush.gap
/// data: ...                       id: (where to resume)
///                                 data: {"channel":...,"from":...,"to":...,"reason":...}
/// </code></remarks>
/// <param name="isEnveloped">Data is an envelope, as where there are several channels.</param>
internal sealed class EventStreamReader(bool isEnveloped = false) : TransportReader
{
    public override int Read(ReadOnlySpan<byte> bytes, ITransportSink sink)
    {
        int consumed = 0;
        while (bytes[consumed..].IndexOf("\n\n"u8) is var length and >= 0)
        {
            ReadEvent(bytes.Slice(consumed, length), sink);
            consumed += length + 2;
        }

        return consumed;
    }

    private void ReadEvent(ReadOnlySpan<byte> lines, ITransportSink sink)
    {
        var fields = new EventFields(isEnveloped);
        foreach (var range in lines.Split((byte)'\n'))
        {
            fields.Take(lines[range], sink);
        }

        if (!fields.TryTell(sink))
        {
            sink.OnMalformed("an event with something missing");
        }
    }

    private ref struct EventFields(bool isEnveloped)
    {
        private ReadOnlySpan<byte> _event;
        private ReadOnlySpan<byte> _id;
        private ReadOnlySpan<byte> _data;
        private bool _hasData;

        public void Take(ReadOnlySpan<byte> line, ITransportSink sink)
        {
            int colon = line.IndexOf((byte)':');
            var name = colon < 0 ? line : line[..colon];
            var value = colon < 0 ? default : line[(colon + 1)..];
            value = value.StartsWith(" "u8) ? value[1..] : value;
            if (name.SequenceEqual("data"u8))
            {
                _data = _hasData ? (byte[])[.. _data, (byte)'\n', .. value] : value;
                _hasData = true;
            }
            else if (name.SequenceEqual("id"u8))
            {
                _id = value;
            }
            else if (name.SequenceEqual("event"u8))
            {
                _event = value;
            }
            else if (name.SequenceEqual("retry"u8) && Utf8Parser.TryParse(value, out int retryMs, out int digits) && digits == value.Length)
            {
                sink.OnRetry(retryMs);
            }
        }

        public readonly bool TryTell(ITransportSink sink)
        {
            bool hasId = EntryId.TryRead(_id, out var id);
            if (_event.SequenceEqual("rawpush.gap"u8))
            {
                return hasId && TryTellGap(id, sink);
            }

            if (_hasData)
            {
                return hasId && _event.IsEmpty && TellMessage(id, sink);
            }

            if (hasId)
            {
                sink.OnPosition(id);
            }

            // What is left: a comment, or nothing but the time to retry.
            return hasId || _id.IsEmpty;
        }

        private readonly bool TellMessage(in EntryId id, ITransportSink sink)
        {
            if (isEnveloped)
            {
                return TellEnvelope(id, sink);
            }

            sink.OnMessage(id, default, _data);
            return true;
        }

        private readonly bool TellEnvelope(in EntryId id, ITransportSink sink)
        {
            try
            {
                var reader = new Utf8JsonReader(_data);
                reader.Read();
                var envelope = Envelope.ReadObject(ref reader);
                return envelope.TryGetId(out var inner) && inner == id && envelope.TryTell(sink);
            }
            catch (JsonException)
            {
                return false;
            }
        }

        private readonly bool TryTellGap(in EntryId id, ITransportSink sink)
        {
            try
            {
                var reader = new Utf8JsonReader(_data);
                reader.Read();
                var envelope = Envelope.ReadObject(ref reader);

                // Of one channel the place to resume is not beyond the gap; of several it may be, where others have told of more.
                if (!envelope.TryGetGap(out var gap) || (!isEnveloped && id.IsAfter(gap.To)))
                {
                    return false;
                }

                sink.OnGap(gap, id, envelope.Channel);
                return true;
            }
            catch (JsonException)
            {
                return false;
            }
        }
    }
}
