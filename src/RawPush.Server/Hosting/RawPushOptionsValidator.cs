using System.Buffers;
using Microsoft.Extensions.Options;
using RawPush.Fanout.Brokers.Nats;
using RawPush.Fanout.Brokers.Nats.JetStream;
using RawPush.Fanout.Channels;
using RawPush.Protocol.WebSockets.Deflate;
using RawPush.Server.Connections;

namespace RawPush.Server.Hosting;

/// <summary>Says of every setting that is out of its range which one it is, what it is, and what it may be.</summary>
internal sealed class RawPushOptionsValidator : IValidateOptions<RawPushOptions>
{
    private static readonly SearchValues<char> NotInStreamNames = SearchValues.Create(" .*>/\\\t\r\n");

    private const int NamespacesMax = 64;
    private const int TrustedProxiesMax = 64;
    private const int RateMax = 1_000_000;
    private const int SocketBytesMax = 64 * 1024 * 1024;

    private static readonly SearchValues<char> FieldNameCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    public ValidateOptionsResult Validate(string? name, RawPushOptions options)
    {
        var faults = new ValidateOptionsResultBuilder();
        CheckAddress(faults, nameof(options.Public), options.Public);
        CheckAddress(faults, nameof(options.Internal), options.Internal);
        if (options.Transport == PushTransport.Epoll && !RawPushOptions.IsEpollServed)
        {
            faults.AddError($"{RawPushOptions.SectionName}:{nameof(options.Transport)} is Epoll, which is for x86-64 Linux; use Sockets");
        }

        CheckRange(faults, nameof(options.Shards), options.Shards, 1, 256);
        CheckRange(faults, nameof(options.ConnectionsMax), options.ConnectionsMax, 1, int.MaxValue);
        CheckRange(faults, nameof(options.HandshakesPerSecond), options.HandshakesPerSecond, 0, RateMax);
        CheckRange(faults, nameof(options.AddressConnectionsMax), options.AddressConnectionsMax, 0, int.MaxValue);
        CheckRange(faults, nameof(options.AddressHandshakesPerSecond), options.AddressHandshakesPerSecond, 0, RateMax);
        CheckProxies(faults, options);
        CheckUserField(faults, options);
        CheckRange(faults, nameof(options.ChannelsMax), options.ChannelsMax, 1, int.MaxValue);
        CheckRange(faults, nameof(options.ChannelsPerConnectionMax), options.ChannelsPerConnectionMax, 1, 1024);
        CheckRange(faults, nameof(options.MessageBytesMax), options.MessageBytesMax, 1, RawPushOptions.MessageBytesCeiling);
        CheckRange(faults, nameof(options.MessageFragmentsMax), options.MessageFragmentsMax, 1, int.MaxValue);
        CheckRange(faults, nameof(options.CompressionBytesMin), options.CompressionBytesMin, 1, RawPushOptions.MessageBytesCeiling);
        if (options.AgreesToCompression && !PermessageDeflate.IsAvailable)
        {
            faults.AddError($"{RawPushOptions.SectionName}:{nameof(options.Compression)} needs the system's zlib, libz.so.1, on 64-bit Linux; install it (Debian: zlib1g), or set it to false");
        }

        CheckRange(faults, nameof(options.LogEntriesMax), options.LogEntriesMax, 64, 1 << 20);
        CheckRange(faults, nameof(options.LogBytesMax), options.LogBytesMax, 1, long.MaxValue);
        CheckRange(faults, nameof(options.HeadBytesMax), options.HeadBytesMax, 256, 1 << 20);
        CheckRange(faults, nameof(options.ClientMessagesPerSecond), options.ClientMessagesPerSecond, 0, 1 << 30);
        CheckRange(faults, nameof(options.ClientBytesPerSecond), options.ClientBytesPerSecond, 0, 1 << 30);
        CheckRange(faults, nameof(options.ClientMessageRateMin), options.ClientMessageRateMin, 0, 1 << 20);
        CheckRange(faults, nameof(options.SocketUnsentBytesMax), options.SocketUnsentBytesMax, 1024, SocketBytesMax);
        CheckBuffer(faults, nameof(options.SocketReceiveBytes), options.SocketReceiveBytes, 32 * 1024);   // A request line of 8 KiB must fit, with what the kernel adds.
        CheckBuffer(faults, nameof(options.SocketSendBytes), options.SocketSendBytes, 4096);
        CheckTime(faults, nameof(options.SocketUserTimeout), options.SocketUserTimeout, TimeSpan.Zero, TimeSpan.FromHours(1));
        CheckTime(faults, nameof(options.HandshakeTimeout), options.HandshakeTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        CheckTime(faults, nameof(options.PingInterval), options.PingInterval, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        CheckTime(faults, nameof(options.PeerTimeout), options.PeerTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        CheckTime(faults, nameof(options.CloseTimeout), options.CloseTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        CheckTime(faults, nameof(options.DrainTimeout), options.DrainTimeout, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        CheckRange(faults, nameof(options.Namespaces), options.Namespaces.Count, 0, NamespacesMax);
        if (options.MemoryBudgetBytes != 0)
        {
            CheckRange(faults, nameof(options.MemoryBudgetBytes), options.MemoryBudgetBytes, RawPushOptions.MemoryBudgetBytesMin, long.MaxValue);
        }

        for (int i = 0; i < options.Namespaces.Count; i++)
        {
            CheckNamespace(faults, $"{nameof(options.Namespaces)}:{i}", options.Namespaces[i]);
        }

        if (options.Nats.IsUsed)
        {
            CheckNats(faults, options.Nats);
        }
        else if (options.Nats.JetStream.Use)
        {
            faults.AddError($"{RawPushOptions.SectionName}:{JetStreamSetting(nameof(JetStreamSettings.Use))} is true, and there is no NATS: it needs {nameof(RawPushOptions.Nats)}:{nameof(NatsBrokerSettings.Urls)}");
        }

        return faults.Build();
    }

    private static void CheckNats(ValidateOptionsResultBuilder faults, NatsBrokerSettings nats)
    {
        foreach (string url in nats.Urls!.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("nats" or "tls"))
            {
                faults.AddError($"{RawPushOptions.SectionName}:{nameof(RawPushOptions.Nats)}:{nameof(nats.Urls)} has '{url}': write nats://HOST:PORT or tls://HOST:PORT");
            }
        }

        if (nats.FindPrefixFault() is { } error)
        {
            faults.AddError($"{RawPushOptions.SectionName}:{nameof(RawPushOptions.Nats)}:{nameof(nats.Prefix)} is '{nats.Prefix}': {error}");
        }

        CheckJetStream(faults, nats.JetStream);
        CheckFile(faults, nameof(nats.NKeyFile), nats.NKeyFile);
        CheckFile(faults, nameof(nats.CredentialsFile), nats.CredentialsFile);
        CheckFile(faults, nameof(nats.TlsCaFile), nats.TlsCaFile);
        CheckFile(faults, nameof(nats.TlsCertificateFile), nats.TlsCertificateFile);
        CheckFile(faults, nameof(nats.TlsKeyFile), nats.TlsKeyFile);
        CheckTime(faults, $"{nameof(RawPushOptions.Nats)}:{nameof(nats.PublishWait)}", nats.PublishWait, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        CheckTime(faults, $"{nameof(RawPushOptions.Nats)}:{nameof(nats.InterestLinger)}", nats.InterestLinger, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
    }

    private static void CheckJetStream(ValidateOptionsResultBuilder faults, JetStreamSettings settings)
    {
        if (settings.Stream is { } stream && (stream.Length is 0 or > 255 || stream.AsSpan().ContainsAny(NotInStreamNames)))
        {
            faults.AddError($"{RawPushOptions.SectionName}:{JetStreamSetting(nameof(settings.Stream))} is '{stream}': a stream's name has 1 to 255 characters, and none of . * > / \\ nor white space");
        }

        CheckRange(faults, JetStreamSetting(nameof(settings.Replicas)), settings.Replicas, 1, 5);
        CheckRange(faults, JetStreamSetting(nameof(settings.MessagesPerChannel)), settings.MessagesPerChannel, 0, int.MaxValue);
        CheckRange(faults, JetStreamSetting(nameof(settings.MessagesMax)), settings.MessagesMax, 0, long.MaxValue);
        CheckRange(faults, JetStreamSetting(nameof(settings.BytesMax)), settings.BytesMax, 0, long.MaxValue);
        CheckTime(faults, JetStreamSetting(nameof(settings.Age)), settings.Age, TimeSpan.Zero, TimeSpan.FromDays(3650));
        CheckTime(faults, JetStreamSetting(nameof(settings.DuplicateWindow)), settings.DuplicateWindow, TimeSpan.FromMilliseconds(100), settings.Age > TimeSpan.Zero ? settings.Age : TimeSpan.FromDays(1));
        CheckTime(faults, JetStreamSetting(nameof(settings.AckWait)), settings.AckWait, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1));
    }

    private static string JetStreamSetting(string name) => $"{nameof(RawPushOptions.Nats)}:{nameof(NatsBrokerSettings.JetStream)}:{name}";

    private static void CheckFile(ValidateOptionsResultBuilder faults, string setting, string? path)
    {
        if (path is not null && !File.Exists(path))
        {
            faults.AddError($"{RawPushOptions.SectionName}:{nameof(RawPushOptions.Nats)}:{setting} is '{path}': there is no such file");
        }
    }

    private static void CheckProxies(ValidateOptionsResultBuilder faults, RawPushOptions options)
    {
        CheckRange(faults, nameof(options.TrustedProxies), options.TrustedProxies.Count, 0, TrustedProxiesMax);
        for (int i = 0; i < options.TrustedProxies.Count; i++)
        {
            if (options.TrustedProxies[i] != TrustedProxies.Unix && !TrustedProxies.TryParse(options.TrustedProxies[i], out _))
            {
                faults.AddError($"{RawPushOptions.SectionName}:{nameof(options.TrustedProxies)}:{i} is '{options.TrustedProxies[i]}': write an address, a network as 10.0.0.0/8, or unix");
            }
        }

        if (options.ProxyProtocol && options.TrustedProxies.Count == 0)
        {
            faults.AddError($"{RawPushOptions.SectionName}:{nameof(options.ProxyProtocol)} is true, and nobody is trusted with it: it needs {nameof(options.TrustedProxies)}");
        }
    }

    private static void CheckUserField(ValidateOptionsResultBuilder faults, RawPushOptions options)
    {
        if (string.IsNullOrEmpty(options.UserField))
        {
            return;
        }

        if (options.UserField.AsSpan().ContainsAnyExcept(FieldNameCharacters))
        {
            faults.AddError($"{RawPushOptions.SectionName}:{nameof(options.UserField)} is '{options.UserField}': write the name of a field, as X-User");
        }

        if (options.TrustedProxies.Count == 0)
        {
            faults.AddError($"{RawPushOptions.SectionName}:{nameof(options.UserField)} is '{options.UserField}', and nobody is trusted with it: it needs {nameof(options.TrustedProxies)}");
        }
    }

    private static void CheckNamespace(ValidateOptionsResultBuilder faults, string setting, NamespaceOptions options)
    {
        if (!ChannelFilter.TryParse(options.Pattern, out _, out string? error))
        {
            faults.AddError($"{RawPushOptions.SectionName}:{setting}:{nameof(options.Pattern)} is '{options.Pattern}': {error}");
        }

        CheckRange(faults, $"{setting}:{nameof(options.HistoryEntries)}", options.HistoryEntries, 0, NamespaceOptions.HistoryEntriesMax);
        CheckRange(faults, $"{setting}:{nameof(options.HistoryBytes)}", options.HistoryBytes, 1, long.MaxValue);
        CheckTime(faults, $"{setting}:{nameof(options.HistoryAge)}", options.HistoryAge, TimeSpan.FromSeconds(1), TimeSpan.FromDays(30));
        if (options.LagPolicy == LagPolicy.Conflate && options.HistoryEntries == 0)
        {
            faults.AddError($"{RawPushOptions.SectionName}:{setting}:{nameof(options.LagPolicy)} is Conflate, which keeps the newest message of each key: it needs {nameof(options.HistoryEntries)}");
        }
    }

    private static void CheckAddress(ValidateOptionsResultBuilder faults, string setting, string value)
    {
        if (!ListenAddress.TryParse(value, out _, out string? error))
        {
            faults.AddError($"{RawPushOptions.SectionName}:{setting} is '{value}': {error}");
        }
    }

    private static void CheckRange(ValidateOptionsResultBuilder faults, string setting, long value, long min, long max)
    {
        if (value < min || value > max)
        {
            faults.AddError($"{RawPushOptions.SectionName}:{setting} is {value}; it must be from {min} to {max}");
        }
    }

    private static void CheckBuffer(ValidateOptionsResultBuilder faults, string setting, int value, int min)
    {
        if (value != 0 && (value < min || value > SocketBytesMax))
        {
            faults.AddError($"{RawPushOptions.SectionName}:{setting} is {value}; it must be 0, or from {min} to {SocketBytesMax}");
        }
    }

    private static void CheckTime(ValidateOptionsResultBuilder faults, string setting, TimeSpan value, TimeSpan min, TimeSpan max)
    {
        if (value < min || value > max)
        {
            faults.AddError($"{RawPushOptions.SectionName}:{setting} is {value}; it must be from {min} to {max}");
        }
    }
}
