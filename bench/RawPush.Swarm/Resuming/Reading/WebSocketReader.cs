using System.Buffers.Binary;
using RawPush.Swarm.Clients;

namespace RawPush.Swarm.Resuming.Reading;

/// <summary>A server's WebSocket frames (RFC 6455 section 5.2), put together to text messages that are envelopes.</summary>
/// <param name="inflater">For messages that come deflated (RFC 7692); null if that was not agreed.</param>
internal sealed class WebSocketReader(MessageInflater? inflater = null) : TransportReader
{
    private const byte Continuation = 0;
    private const byte Text = 1;
    private const byte Close = 8;
    private const byte Ping = 9;
    private const byte Pong = 10;

    // Far more than any message of a load: more is a length misread.
    private const int PayloadBytesMax = 16 << 20;

    private readonly List<byte> _fragments = [];
    private bool _isFragmented;
    private bool _isDeflated;

    public override int Read(ReadOnlySpan<byte> bytes, ITransportSink sink)
    {
        int consumed = 0;
        while (TryReadHeader(bytes[consumed..], out int header, out long payload))
        {
            if (payload is < 0 or > PayloadBytesMax)
            {
                sink.OnMalformed($"a frame of {payload} bytes");
                return bytes.Length;
            }

            if (bytes.Length - consumed - header < payload)
            {
                break;
            }

            TakeFrame(bytes[consumed], bytes[consumed + 1], bytes.Slice(consumed + header, (int)payload), sink);
            consumed += header + (int)payload;
        }

        return consumed;
    }

    private static bool TryReadHeader(ReadOnlySpan<byte> bytes, out int length, out long payloadLength)
    {
        payloadLength = 0;
        length = bytes.Length < 2 ? 2 : (bytes[1] & 127) switch { 126 => 4, 127 => 10, _ => 2 };
        if (bytes.Length < length)
        {
            return false;
        }

        payloadLength = length switch
        {
            4 => BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]),
            10 => BinaryPrimitives.ReadInt64BigEndian(bytes[2..]),
            _ => bytes[1] & 127,
        };
        return true;
    }

    private void TakeFrame(byte first, byte second, ReadOnlySpan<byte> payload, ITransportSink sink)
    {
        // A server masks nothing (section 5.1). The first reserved bit is the extension's, where a message begins, and the others are nobody's.
        bool isFinal = (first & 0x80) != 0;
        bool isDeflated = (first & 0x70) == 0x40 && (first & 15) == Text && inflater is not null;
        if (((first & 0x70) != 0 && !isDeflated) || (second & 0x80) != 0)
        {
            sink.OnMalformed("a frame with a reserved bit or a mask");
            return;
        }

        switch (first & 15)
        {
            case Text when !_isFragmented:
                _isDeflated = isDeflated;
                TakeData(isFinal, payload, sink);
                break;
            case Continuation when _isFragmented:
                TakeData(isFinal, payload, sink);
                break;
            case Close when isFinal:
                sink.OnClose();
                break;
            case Ping when isFinal:
                sink.OnPing(payload);
                break;
            case Pong when isFinal:
                break;
            default:
                sink.OnMalformed($"a frame that does not belong here: opcode {first & 15}");
                break;
        }
    }

    private void TakeData(bool isFinal, ReadOnlySpan<byte> payload, ITransportSink sink)
    {
        if (isFinal && !_isFragmented)
        {
            TakeMessage(payload, sink);
            return;
        }

        _fragments.AddRange(payload);
        _isFragmented = !isFinal;
        if (isFinal)
        {
            TakeMessage([.. _fragments], sink);
            _fragments.Clear();
        }
    }

    private void TakeMessage(ReadOnlySpan<byte> payload, ITransportSink sink)
    {
        if (_isDeflated && !inflater!.TryInflate(payload, PayloadBytesMax, out payload))
        {
            sink.OnMalformed("a deflated message that cannot be inflated");
            return;
        }

        Envelope.Read(payload, sink);
    }
}
