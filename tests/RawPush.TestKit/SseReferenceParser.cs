using System.Globalization;
using System.Text;

namespace RawPush.TestKit;

/// <summary>One dispatched event: what a browser would hand to a listener.</summary>
/// <param name="LastEventId">The last event ID string of the stream when the event was dispatched.</param>
/// <param name="Type">The event type; <c>message</c> when the stream named none.</param>
/// <param name="Data">The lines joined by LF.</param>
public sealed record SseReferenceEvent(string LastEventId, string Type, string Data);

/// <summary>What a whole event stream means.</summary>
/// <param name="Events">The dispatched events, in order.</param>
/// <param name="Comments">The text after the colon of each comment line, in order.</param>
/// <param name="RetryMs">The last reconnection time set, in milliseconds; null when none was.</param>
/// <param name="LastEventId">What a client that comes back sends: the last event ID string, which every dispatch sets, also one without data.</param>
/// <param name="IsComplete">True when the stream ends with no half-written line and no undispatched field.</param>
public sealed record SseReferenceResult(
    IReadOnlyList<SseReferenceEvent> Events,
    IReadOnlyList<string> Comments,
    int? RetryMs,
    string LastEventId,
    bool IsComplete);

/// <summary>The WHATWG event stream interpretation, written sentence by sentence from the standard and for no other virtue than that.</summary>
/// <remarks>
/// HTML Standard, sections 9.2.5 (parsing) and 9.2.6 (interpretation). Stricter than a browser in one way: bytes that are not UTF-8 and
/// fields the standard does not name throw <see cref="FormatException"/>, because our writer must never produce them.
/// </remarks>
public sealed class SseReferenceParser
{
    private readonly List<SseReferenceEvent> _events = [];
    private readonly List<string> _comments = [];
    private readonly StringBuilder _data = new();
    private string _lastEventIdBuffer = "";
    private string _lastEventId = "";
    private string _eventType = "";
    private int? _retryMs;
    private bool _isBlockOpen;

    private SseReferenceParser()
    {
    }

    /// <summary>Interprets a whole stream.</summary>
    /// <exception cref="FormatException">The bytes are not UTF-8, or name a field the standard does not know.</exception>
    public static SseReferenceResult Parse(ReadOnlySpan<byte> stream)
    {
        var parser = new SseReferenceParser();
        string text = Decode(stream);
        int start = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] is not ('\r' or '\n'))
            {
                continue;
            }

            parser.OnLine(text[start..i]);

            // Section 9.2.5: CR LF, a lone LF and a lone CR each end one line.
            if (text[i] == '\r' && i + 1 < text.Length && text[i + 1] == '\n')
            {
                i++;
            }

            start = i + 1;
        }

        return new SseReferenceResult(parser._events, parser._comments, parser._retryMs, parser._lastEventId, start == text.Length && !parser._isBlockOpen);
    }

    private static string Decode(ReadOnlySpan<byte> stream)
    {
        // Section 9.2.6: streams are decoded with "UTF-8 decode", which strips one byte order mark at the start and nowhere else.
        if (stream.StartsWith("\uFEFF"u8))
        {
            stream = stream[3..];
        }

        try
        {
            return new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(stream);
        }
        catch (DecoderFallbackException e)
        {
            throw new FormatException("The stream is not UTF-8.", e);
        }
    }

    private void OnLine(string line)
    {
        if (line.Length == 0)
        {
            Dispatch();
            return;
        }

        int colon = line.IndexOf(':', StringComparison.Ordinal);
        if (colon == 0)
        {
            _comments.Add(line[1..]);
            return;
        }

        string name = colon < 0 ? line : line[..colon];
        string value = colon < 0 ? "" : line[(colon + 1)..];
        OnField(name, value.StartsWith(' ') ? value[1..] : value);
    }

    private void OnField(string name, string value)
    {
        switch (name)
        {
            case "event":
                _eventType = value;
                _isBlockOpen = true;
                break;
            case "data":
                _data.Append(value).Append('\n');
                _isBlockOpen = true;
                break;
            case "id":
                if (!value.Contains('\0', StringComparison.Ordinal))
                {
                    _lastEventIdBuffer = value;
                }

                _isBlockOpen = true;
                break;
            case "retry":
                if (value.Length > 0 && value.All(char.IsAsciiDigit))
                {
                    _retryMs = int.Parse(value, CultureInfo.InvariantCulture);
                }

                break;
            default:
                throw new FormatException($"The standard knows no field '{name}'.");
        }
    }

    private void Dispatch()
    {
        _isBlockOpen = false;
        _lastEventId = _lastEventIdBuffer;

        // "If the data buffer is an empty string": a lone `data:` line is not, it left a LF behind.
        if (_data.Length > 0)
        {
            _data.Length--;
            _events.Add(new SseReferenceEvent(_lastEventIdBuffer, _eventType.Length == 0 ? "message" : _eventType, _data.ToString()));
        }

        _data.Clear();
        _eventType = "";
    }
}
