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
    private const string Binary = "application/octet-stream";

    /// <summary>The fields of a message, on its way out.</summary>
    public static NatsHeaders WriteFields(in PushMessage message, in Origin origin)
    {
        var fields = new NatsHeaders { [OriginField] = origin.ToString() };
        if (message.Kind == MessageKind.Binary)
        {
            fields[TypeField] = Binary;
        }

        if (message.Traits is { } traits)
        {
            AddText(fields, EventField, traits.EventName);
            AddText(fields, KeyField, traits.Key);
            AddText(fields, IdempotencyField, traits.IdempotencyKey);
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
        var payload = delivery.Bytes.AsMemory(delivery.HeaderBytes);
        NatsHeaders? fields = null;
        if (delivery.HeaderBytes > 0)
        {
            fields = new NatsHeaders();
            if (!TryParse(parser, delivery.Bytes.AsMemory(0, delivery.HeaderBytes), fields))
            {
                return false;
            }

            origin = Text(fields, OriginField) is { } text && Origin.TryParse(text, out var read) ? read : null;
        }

        // A frame that is said to be text and is none would make every client fail its connection. Nobody is believed, since anybody can say that he is a node.
        bool isText = Text(fields, TypeField) != Binary && Utf8.IsValid(payload.Span);
        message = new PushMessage(isText ? MessageKind.Text : MessageKind.Binary, payload, ReadTraits(fields));
        return true;
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
