using System.Buffers;
using System.Globalization;
using System.Text.Unicode;
using NATS.Client.Core;
using RawPush.Fanout.Channels;
using RawPush.Protocol;

namespace RawPush.Fanout.Brokers.Nats;

/// <summary>A message ⇄ the header fields and the payload of NATS. Anybody may publish: what is missing or wrong in the fields is left out, and the payload counts as it is.</summary>
internal static class BusMessages
{
    private const string OriginField = "RawPush-Origin";
    private const string EventField = "RawPush-Event";
    private const string KeyField = "RawPush-Key";
    private const string ExpiresField = "RawPush-Expires";
    private const string IdempotencyField = "Nats-Msg-Id";
    private const string TypeField = "Content-Type";
    private const string TimeField = "Nats-Time-Stamp";
    private const string Binary = "application/octet-stream";

    /// <summary>The fields of a message, on its way to other nodes.</summary>
    public static NatsHeaders WriteFields(in PushMessage message, in Origin origin)
    {
        var fields = WriteFields(message);
        fields[OriginField] = origin.ToString();
        AddText(fields, IdempotencyField, message.Traits?.IdempotencyKey);
        return fields;
    }

    /// <summary>The fields of a message, on its way to where messages are kept. Keys must not be told from those of other channels by their text alone.</summary>
    public static NatsHeaders WriteFields(in PushMessage message, ChannelName channel)
    {
        var fields = WriteFields(message);
        AddText(fields, IdempotencyField, message.Traits?.IdempotencyKey is { } key ? $"{channel.Value}/{key}" : null);
        return fields;
    }

    private static NatsHeaders WriteFields(in PushMessage message)
    {
        var fields = new NatsHeaders();
        if (message.Kind == MessageKind.Binary)
        {
            fields[TypeField] = Binary;
        }

        if (message.Traits is { } traits)
        {
            AddText(fields, EventField, traits.EventName);
            AddText(fields, KeyField, traits.Key);
            AddText(fields, ExpiresField, traits.Expires?.TotalSeconds.ToString(CultureInfo.InvariantCulture));
        }

        return fields;
    }

    /// <summary>Reads what has come. False: its header block is none.</summary>
    /// <param name="parser">The connection's.</param>
    /// <param name="delivery">A message.</param>
    /// <param name="message">What was published.</param>
    /// <param name="origin">Null: it was not published by a node.</param>
    public static bool TryRead(NatsHeaderParser parser, in BusDelivery delivery, out PushMessage message, out Origin? origin)
    {
        (message, origin) = (default, null);
        if (!TryReadFields(parser, delivery.Headers, out var fields))
        {
            return false;
        }

        origin = Text(fields, OriginField) is { } text && Origin.TryParse(text, out var read) ? read : null;
        message = Read(fields, delivery.Payload);
        return true;
    }

    /// <summary>Reads a header block, which may be empty. False: it is none.</summary>
    public static bool TryReadFields(NatsHeaderParser parser, ReadOnlyMemory<byte> block, out NatsHeaders? fields)
    {
        fields = block.IsEmpty ? null : new NatsHeaders();
        return fields is null || TryParse(parser, block, fields);
    }

    /// <summary>A message that was kept: its key has done its work.</summary>
    public static PushMessage ReadKept(NatsHeaders? fields, ReadOnlyMemory<byte> payload)
    {
        fields?.Remove(IdempotencyField);
        return Read(fields, payload);
    }

    /// <summary>A number that NATS has given; 0: there is none.</summary>
    public static long ReadNumber(NatsHeaders? fields, string name) => long.TryParse(Text(fields, name), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0;

    /// <summary>When NATS has kept a message; 1970: it does not say so.</summary>
    public static DateTimeOffset ReadTime(NatsHeaders? fields) =>
        DateTimeOffset.TryParse(Text(fields, TimeField), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : DateTimeOffset.UnixEpoch;

    private static PushMessage Read(NatsHeaders? fields, ReadOnlyMemory<byte> payload)
    {
        // A frame that is said to be text and is none would make every client fail its connection. Nobody is believed, since anybody can say that he is a node.
        bool isText = Text(fields, TypeField) != Binary && Utf8.IsValid(payload.Span);
        return new PushMessage(isText ? MessageKind.Text : MessageKind.Binary, payload, ReadTraits(fields));
    }

    // The client's parser says no in two ways.
    private static bool TryParse(NatsHeaderParser parser, ReadOnlyMemory<byte> block, NatsHeaders fields)
    {
        try
        {
            return parser.ParseHeaders(new SequenceReader<byte>(new ReadOnlySequence<byte>(block)), fields);
        }
        catch (NatsException)
        {
            return false;
        }
    }

    private static MessageTraits? ReadTraits(NatsHeaders? fields)
    {
        var traits = new MessageTraits
        {
            EventName = Trait(fields, EventField) is { } name && !MessageTraits.IsReservedEvent(name) ? name : null,
            Key = Trait(fields, KeyField),
            IdempotencyKey = Trait(fields, IdempotencyField),
            Expires = double.TryParse(Text(fields, ExpiresField), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) && seconds is > 0 and < 1e9
                ? TimeSpan.FromSeconds(seconds)
                : null,
        };
        return traits == Nothing ? null : traits;
    }

    private static readonly MessageTraits Nothing = new();

    private static string? Trait(NatsHeaders? fields, string name) => Text(fields, name) is { } text && MessageTraits.IsText(text) ? text : null;

    private static string? Text(NatsHeaders? fields, string name) => fields is not null && fields.TryGetLastValue(name, out string? text) ? text : null;

    private static void AddText(NatsHeaders fields, string name, string? text)
    {
        if (text is not null)
        {
            fields[name] = text;
        }
    }
}
