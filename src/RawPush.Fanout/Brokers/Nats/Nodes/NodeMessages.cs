using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Presence;

namespace RawPush.Fanout.Brokers.Nats.Nodes;

/// <summary>What nodes say to one another ⇄ lines of UTF-8. Anybody may write to these subjects: what is not such a message is none, and is passed over.</summary>
/// <remarks>
/// <code>
/// alive, gone    NODE
/// question       count|users LF CHANNEL
/// answer         NODE SUBSCRIBERS [USERS (LF NAME)*]
/// </code>
/// A node is 16 hexadecimal digits. Names have no control characters, so that nothing has to be escaped.
/// </remarks>
internal static class NodeMessages
{
    /// <summary>Longest message that is read or written, in bytes, unless NATS has a lower limit: a thousand of the longest names.</summary>
    public const int BytesMax = 300 * 1024;

    private const string Count = "count";
    private const string Users = "users";
    private const int LineBytesMax = 64;

    /// <summary>That a node lives, with the number of that message among those of the node.</summary>
    public static byte[] WriteAlive(ulong node, long number) => Encoding.ASCII.GetBytes(Text(node) + Text((ulong)number));

    /// <summary>Reads what <see cref="WriteAlive"/> writes. False: it is not that.</summary>
    public static bool TryReadAlive(in ReadOnlySequence<byte> message, out ulong node, out long number)
    {
        (node, number) = (0, 0);
        return message.Length == 32 && TryReadNode(message.Slice(0, 16), out node) && TryReadNode(message.Slice(16), out ulong read) && (number = (long)read) > 0;
    }

    public static byte[] WriteNode(ulong node) => Encoding.ASCII.GetBytes(Text(node));

    public static bool TryReadNode(in ReadOnlySequence<byte> message, out ulong node)
    {
        node = 0;
        return message.Length == 16 && ulong.TryParse(ToText(message), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out node);
    }

    public static byte[] Write(in NodeQuestion question) => Encoding.UTF8.GetBytes($"{(question.WithUsers ? Users : Count)}\n{question.Channel.Value}");

    public static bool TryRead(in ReadOnlySequence<byte> message, out NodeQuestion question)
    {
        question = default;
        if (message.Length > LineBytesMax + ChannelName.BytesMax
            || ToText(message) is not { } text
            || text.Split('\n') is not [(Count or Users) and var what, var channel]
            || !ChannelFilter.TryParse(channel, out var filter, out _))
        {
            return false;
        }

        question = new NodeQuestion(filter, what == Users);
        return true;
    }

    /// <param name="node">Who answers.</param>
    /// <param name="presence">What.</param>
    /// <param name="bytesMax">Longest message. Names that find no room are left out.</param>
    public static byte[] Write(ulong node, NodePresence presence, int bytesMax)
    {
        var text = new StringBuilder(Text(node));
        text.Append(CultureInfo.InvariantCulture, $" {presence.Subscribers}");
        if (presence.Users is { } users)
        {
            text.Append(CultureInfo.InvariantCulture, $" {users.Count}{(users.IsComplete ? string.Empty : "+")}");
            int room = bytesMax - LineBytesMax;
            foreach (string name in users.Names)
            {
                room -= 1 + Encoding.UTF8.GetByteCount(name);
                if (room < 0)
                {
                    break;
                }

                text.Append('\n').Append(name);
            }
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    public static bool TryRead(in ReadOnlySequence<byte> message, out ulong node, out NodePresence? presence)
    {
        node = 0;
        presence = null;
        if (message.Length > BytesMax
            || ToText(message) is not { } text
            || text.Split('\n') is not [var head, .. var names]
            || head.Split(' ') is not [var id, var count, .. { Length: <= 1 } users]
            || !TryReadNode(id, out node)
            || !TryReadCount(count, out long subscribers)
            || names.Length > (users.Length == 0 ? 0 : NodePresence.NamesMax))
        {
            return false;
        }

        UserList? list = null;
        if (users.Length == 1 && !TryReadUsers(users[0], names, out list))
        {
            return false;
        }

        presence = new NodePresence(subscribers, list);
        return true;
    }

    private static bool TryReadUsers(string total, string[] names, out UserList? list)
    {
        // The sign says that there are more than the node could count.
        list = null;
        bool isCounted = !total.EndsWith('+');
        if (!TryReadCount(isCounted ? total : total[..^1], out long count)
            || count < names.Length
            || !names.All(UserList.IsName)
            || names.ToHashSet(StringComparer.Ordinal).Count < names.Length)
        {
            return false;
        }

        list = new UserList(count, names, isCounted && count == names.Length);
        return true;
    }

    private static string Text(ulong node) => node.ToString("x16", CultureInfo.InvariantCulture);

    private static bool TryReadNode(string text, out ulong node)
    {
        node = 0;
        return text.Length == 16 && ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out node);
    }

    // So that no sum of all nodes' overflows.
    private static bool TryReadCount(string text, out long count) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count <= int.MaxValue;

    private static string? ToText(in ReadOnlySequence<byte> message)
    {
        ReadOnlySpan<byte> bytes = message.IsSingleSegment ? message.FirstSpan : message.ToArray();
        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : null;
    }
}
