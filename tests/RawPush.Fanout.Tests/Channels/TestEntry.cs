using RawPush.Fanout.Channels;
using RawPush.Protocol;

namespace RawPush.Fanout.Tests.Channels;

/// <summary>Entries and namespaces for tests that need no hub.</summary>
internal static class TestEntry
{
    private static readonly NamespaceState Anywhere = CreateNamespace(new ChannelNamespace { Pattern = ChannelFilter.Parse(">") });

    public static NamespaceState CreateNamespace(ChannelNamespace settings, ChannelLimits? limits = null, TimeProvider? time = null)
    {
        limits ??= new ChannelLimits { Namespaces = [settings] };
        return new NamespaceState(settings, limits, new MemoryBudget(limits.MemoryBudgetBytes), time ?? TimeProvider.System);
    }

    public static Entry Create(ChannelName channel, PushMessage message, MessageId id, NamespaceState? state = null) =>
        new(channel, message, Entry.CreateFrame(message), id, state ?? Anywhere);

    public static Entry Create(long sequence, int payloadBytes, MessageTraits? traits = null, NamespaceState? state = null) =>
        Create(ChannelName.Parse("a"), new PushMessage(MessageKind.Text, new byte[payloadBytes], traits), new MessageId(1, sequence), state);
}
