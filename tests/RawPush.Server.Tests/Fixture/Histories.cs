using RawPush.Fanout.Channels;
using RawPush.Protocol;
using RawPush.Server.Hosting;

namespace RawPush.Server.Tests.Fixture;

/// <summary>Hosts whose channels keep messages, and messages with more than a payload.</summary>
internal static class Histories
{
    /// <summary>All channels keep so many messages.</summary>
    public static Task<PushHost> StartAsync(int entries = 100, Action<PushHostSetup>? configure = null) => PushHost.StartAsync(setup =>
    {
        configure?.Invoke(setup);
        var further = setup.Options;
        setup.Options = options =>
        {
            further?.Invoke(options);
            options.Namespaces.Add(new NamespaceOptions { Pattern = ">", HistoryEntries = entries, HistoryBytes = 64 * 1024 * 1024 });
        };
    });

    /// <summary>Publishes so many messages, 0, 1, 2 …, to a channel, and says their ids.</summary>
    public static async Task<string[]> PublishManyAsync(this PushHost host, string channel, int count)
    {
        string[] ids = new string[count];
        for (int i = 0; i < count; i++)
        {
            ids[i] = (await host.PublishAsync(channel, $"{i}")).Id.ToString();
        }

        return ids;
    }

    public static Task<PublishReceipt> PublishAsync(this PushHost host, string channel, string text, MessageTraits traits) =>
        host.Publisher.PublishAsync(ChannelName.Parse(channel), new PushMessage(MessageKind.Text, System.Text.Encoding.UTF8.GetBytes(text), traits), Patience.Token).AsTask();
}
