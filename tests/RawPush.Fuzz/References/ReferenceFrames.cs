using System.Text;
using RawPush.Protocol;
using RawPush.Protocol.WebSockets;
using RawPush.Protocol.WebSockets.Deflate;

namespace RawPush.Fuzz.References;

/// <summary>RFC 6455, section 5, and RFC 7692, section 6, read by index from one array, with a list for the message: slow, and short enough to be checked against the text.</summary>
internal sealed class ReferenceFrames(byte[] wire, int messageBytesMax, bool takesCompressed)
{
    private readonly List<byte> _message = [];
    private readonly List<string> _lines = [];
    private MessageKind? _kind;   // of the message that is not finished
    private bool _isCompressed;   // that message
    private int _at;

    /// <summary>What a client's bytes mean, a line each; the last one says how it ended.</summary>
    public static List<string> Read(byte[] wire, int messageBytesMax, bool takesCompressed)
    {
        var reference = new ReferenceFrames(wire, messageBytesMax, takesCompressed);
        string? ending;
        do
        {
            ending = reference.ReadFrame();
        }
        while (ending is null);
        reference._lines.Add(ending);
        return reference._lines;
    }

    public static string Line(string what, ReadOnlySpan<byte> payload) => $"{what} {Convert.ToHexString(payload)}";

    public static string Ending(bool isIdle) => isIdle ? "idle" : "unfinished";

    public static string Ending(CloseStatus violation) => $"violation {(int)violation}";

    private string? ReadFrame()
    {
        if (_at == wire.Length)
        {
            return Ending(_kind is null);
        }

        int opcode = wire[_at] & 0x0F;
        bool isFinal = (wire[_at] & 0x80) != 0;
        bool isControl = opcode >= 8;
        int allowedBits = takesCompressed && opcode is 1 or 2 ? 0x40 : 0;
        if ((wire[_at] & 0x70 & ~allowedBits) != 0 || opcode is not (0 or 1 or 2 or 8 or 9 or 10) || (isControl && !isFinal))
        {
            return Ending(CloseStatus.ProtocolError);
        }

        if (_at + 1 == wire.Length)
        {
            return Ending(isIdle: false);
        }

        int shortLength = wire[_at + 1] & 0x7F;
        if ((wire[_at + 1] & 0x80) == 0 || (isControl && shortLength > 125))
        {
            return Ending(CloseStatus.ProtocolError);
        }

        int lengthStart = _at + 2;
        int lengthBytes = shortLength switch { 126 => 2, 127 => 8, _ => 0 };
        byte[] length = wire[lengthStart..Math.Min(lengthStart + lengthBytes, wire.Length)];
        if (IsNotALength(length, lengthBytes))
        {
            return Ending(CloseStatus.ProtocolError);
        }

        int payloadStart = lengthStart + lengthBytes + 4;
        if (payloadStart > wire.Length)
        {
            return Ending(isIdle: false);
        }

        ulong payloadLength = length.Aggregate(0UL, (sum, digit) => (sum << 8) | digit);
        return ReadPayload(opcode, isFinal, payloadStart, lengthBytes == 0 ? (ulong)shortLength : payloadLength);
    }

    /// <summary>What is there of an extended length already proves that it is not the shortest form, or has its top bit set.</summary>
    private static bool IsNotALength(byte[] length, int bytes) => bytes switch
    {
        2 => length.Length == 2 && length[0] == 0 && length[1] < 126,
        8 => (length.Length > 0 && length[0] > 127) || (length.Length >= 6 && length[..6].All(digit => digit == 0)),
        _ => false,
    };

    private string? ReadPayload(int opcode, bool isFinal, int start, ulong announced)
    {
        bool isControl = opcode >= 8;
        if (!isControl && (opcode == 0) == _kind is null)
        {
            return Ending(CloseStatus.ProtocolError);
        }

        _isCompressed = opcode is 1 or 2 ? (wire[_at] & 0x40) != 0 : _isCompressed;
        if (!isControl && announced + (ulong)_message.Count > (ulong)PayloadBytesMax())
        {
            return Ending(CloseStatus.MessageTooBig);
        }

        bool isWhole = announced <= (ulong)(wire.Length - start);
        int end = isWhole ? start + (int)announced : wire.Length;
        byte[] payload = [.. Enumerable.Range(0, end - start).Select(i => (byte)(wire[start + i] ^ wire[start - 4 + (i % 4)]))];
        _at = end;
        return isControl ? OnControl(opcode, payload, isWhole) : OnData(opcode, payload, isWhole, isFinal);
    }

    // Compressed, it may have grown a little; what it becomes keeps to the limit itself.
    private int PayloadBytesMax() => _isCompressed ? messageBytesMax + (messageBytesMax / 64) + 256 : messageBytesMax;

    private string? OnData(int opcode, byte[] payload, bool isWhole, bool isFinal)
    {
        _kind ??= opcode == 1 ? MessageKind.Text : MessageKind.Binary;
        _message.AddRange(payload);
        var verdict = _kind == MessageKind.Text && !_isCompressed ? ReferenceUtf8.Judge(_message.ToArray()) : Utf8Verdict.Whole;
        bool isMessage = isWhole && isFinal;
        if (verdict == Utf8Verdict.Invalid || (isMessage && verdict == Utf8Verdict.Cut))
        {
            return Ending(CloseStatus.InvalidPayload);
        }

        if (isMessage)
        {
            return _isCompressed ? OnCompressed() : OnMessage(_message.ToArray());
        }

        return isWhole ? null : Ending(isIdle: false);
    }

    private string? OnCompressed()
    {
        var inflated = ReferenceInflate.Read(_message.ToArray(), messageBytesMax);
        if (inflated.Status == InflateStatus.TooBig)
        {
            return Ending(CloseStatus.MessageTooBig);
        }

        bool isValid = _kind != MessageKind.Text || ReferenceUtf8.Judge(inflated.Bytes) == Utf8Verdict.Whole;
        return inflated.Status == InflateStatus.Done && isValid ? OnMessage(inflated.Bytes) : Ending(CloseStatus.InvalidPayload);
    }

    private string? OnMessage(ReadOnlySpan<byte> message)
    {
        _lines.Add(Line(_kind.ToString()!, message));
        _message.Clear();
        _kind = null;
        return null;
    }

    private string? OnControl(int opcode, byte[] payload, bool isWhole)
    {
        if (!isWhole)
        {
            return Ending(isIdle: false);
        }

        if (opcode != 8)
        {
            _lines.Add(Line(opcode == 9 ? "Ping" : "Pong", payload));
            return null;
        }

        return OnClose(payload);
    }

    private string OnClose(byte[] payload)
    {
        if (payload.Length == 0)
        {
            _lines.Add(CloseLine(1005, payload));
            return "closed";
        }

        int code = payload.Length == 1 ? 0 : (payload[0] * 256) + payload[1];
        if (code is < 1000 or (> 1003 and < 1007) or (> 1014 and < 3000) or > 4999)
        {
            return Ending(CloseStatus.ProtocolError);
        }

        if (ReferenceUtf8.Judge(payload.AsSpan(2)) != Utf8Verdict.Whole)
        {
            return Ending(CloseStatus.InvalidPayload);
        }

        _lines.Add(CloseLine(code, payload.AsSpan(2)));
        return "closed";
    }

    public static string CloseLine(int code, ReadOnlySpan<byte> reason) => $"Close {code} {Encoding.UTF8.GetString(reason)}";
}
