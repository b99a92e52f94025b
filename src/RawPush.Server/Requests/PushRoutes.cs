using System.Buffers;
using System.Text;
using Microsoft.Extensions.Options;
using RawPush.Server.Hosting;
using RawPush.Server.Messages;

namespace RawPush.Server.Requests;

/// <summary>Which addresses are ours.</summary>
internal sealed class PushRoutes
{
    /// <summary>Where channels live: <c>/channels/a,b</c>.</summary>
    public const string ChannelsPrefix = "/channels/";

    /// <summary>Where there is something to know about all of them, and batches for any of them are taken.</summary>
    public const string ChannelsPath = "/channels";

    /// <summary>Behind a channel: where there is something to know about who is on it.</summary>
    public const string PresenceSuffix = "/presence";

    private readonly (byte[] Path, ClientMessageRoute Route)[] _handlers;

    public PushRoutes(IEnumerable<ClientMessageRoute> routes, IOptions<RawPushOptions> options)
    {
        int defaultMax = options.Value.MessageBytesMax;
        var all = routes.Select(route => route with { MessageBytesMax = route.MessageBytesMax > 0 ? route.MessageBytesMax : defaultMax }).ToArray();
        _handlers = [.. all.Where(route => route.Path is not null).Select(route => (Encoding.UTF8.GetBytes(route.Path!), route))];
        ChannelMessages = all.SingleOrDefault(route => route.Path is null);
    }

    private static ReadOnlySpan<byte> ChannelsPrefixBytes => "/channels/"u8;

    private static ReadOnlySpan<byte> PresenceSuffixBytes => "/presence"u8;

    /// <summary>Who takes what clients send on the channels' addresses; null if nobody does.</summary>
    public ClientMessageRoute? ChannelMessages { get; }

    /// <summary>The part of the path that names channels. False: it is not a channel's address.</summary>
    public static bool TryGetChannels(ReadOnlySpan<byte> path, out ReadOnlySpan<byte> channels)
    {
        bool isOurs = path.StartsWith(ChannelsPrefixBytes);
        channels = isOurs ? path[ChannelsPrefixBytes.Length..] : default;
        return isOurs;
    }

    /// <summary>The channel whose presence is asked for. False: it is not such an address.</summary>
    public static bool TryGetPresence(ReadOnlySpan<byte> path, out ReadOnlySpan<byte> channel)
    {
        bool isPresence = TryGetChannels(path, out channel) && channel.EndsWith(PresenceSuffixBytes);
        channel = isPresence ? channel[..^PresenceSuffixBytes.Length] : default;
        return isPresence && !channel.IsEmpty && !channel.Contains((byte)'/');
    }

    /// <summary>Whether a request line that cannot be read – too long, or malformed – is meant for a channel, so that we say what is wrong with it.</summary>
    public static bool LooksOurs(in ReadOnlySequence<byte> head, out bool isHead)
    {
        Span<byte> start = stackalloc byte[(int)Math.Min(head.Length, 32)];
        head.Slice(0, start.Length).CopyTo(start);
        int space = start.IndexOf((byte)' ');
        isHead = start.StartsWith("HEAD "u8);
        return space > 0 && start[(space + 1)..].StartsWith(ChannelsPrefixBytes);
    }

    public ClientMessageRoute? FindHandler(ReadOnlySpan<byte> path)
    {
        foreach (var (handlerPath, route) in _handlers)
        {
            if (path.SequenceEqual(handlerPath))
            {
                return route;
            }
        }

        return null;
    }
}
