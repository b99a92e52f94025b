using System.Runtime.InteropServices;
using RawPush.Fanout.Brokers.Nats;
using RawPush.Fanout.Channels;
using RawPush.Protocol.Http;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Connections;
using RawPush.Server.Sessions;
using RawPush.Server.Transport;

namespace RawPush.Server.Hosting;

/// <summary>Settings of the push server: section <c>RawPush</c> of the configuration. Read once, at start; a wrong value stops the start.</summary>
public sealed class RawPushOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "RawPush";

    internal const int MessageBytesCeiling = 64 * 1024 * 1024;

    /// <summary>Where clients connect: <c>ADDR:PORT</c>, with <c>*</c> for every address and port 0 for any free port. Default <c>*:8080</c>.</summary>
    public string Public { get; set; } = "*:8080";

    /// <summary>Where backends publish, without a token, and operators look. Default <c>127.0.0.1:8081</c>. Whoever reaches it may publish: keep it private.</summary>
    public string Internal { get; set; } = "127.0.0.1:8081";

    /// <summary>How connections are served. Default <see cref="PushTransport.Epoll"/> on x86-64 Linux, <see cref="PushTransport.Sockets"/> elsewhere.</summary>
    public PushTransport Transport { get; set; } = IsEpollServed ? PushTransport.Epoll : PushTransport.Sockets;

    /// <summary>Shards, each of which serves its connections one piece of work at a time. Default: the processors of the machine; 1 to 256.</summary>
    public int Shards { get; set; } = Math.Clamp(Environment.ProcessorCount, 1, 256);

    /// <summary>Push connections at a time. Default 200,000. One more gets 503.</summary>
    public int ConnectionsMax { get; set; } = 200_000;

    /// <summary>Handshakes that the server takes per second, over all shards: every request for a push counts, each poll as well. Default 50,000, and as many at once; 0 for
    /// no limit, up to 1,000,000. One more gets 503 and comes back after 5 to 30 s. Lower keeps deliveries steady when all clients come back at once, and makes them wait longer.</summary>
    public int HandshakesPerSecond { get; set; } = 50_000;

    /// <summary>Push connections of one client address at a time; of one /64 with IPv6. Default 0: no limit. One more gets 503. A poll is a connection while it waits. People behind the
    /// same NAT share an address. Costs some 40 bytes per connection, and 100 per address.</summary>
    public int AddressConnectionsMax { get; set; }

    /// <summary>Handshakes of one client address per second, counted as by <see cref="HandshakesPerSecond"/>. Default 0: no limit; up to 1,000,000, and as many at once. One more
    /// gets 503 and comes back after 5 to 30 s. Costs what <see cref="AddressConnectionsMax"/> costs.</summary>
    public int AddressHandshakesPerSecond { get; set; }

    /// <summary>Proxies that are believed what they say of their clients' addresses, by the <see cref="ForwardedField"/> or – see <see cref="ProxyProtocol"/> – before the
    /// connection's first request: addresses, networks as <c>10.0.0.0/8</c>, or <c>unix</c> for whoever connects over a Unix socket. Default: none; up to 64. What others say is ignored.
    /// A proxy of the list must write the field: what it lets through is believed as well.</summary>
    public List<string> TrustedProxies { get; } = [];

    /// <summary>The one field in which trusted proxies say whom they forward for. Default <c>X-Forwarded-For</c>. The other one is ignored: a proxy that does not write it passes on what
    /// its clients have written there.</summary>
    public ForwardedField ForwardedField { get; set; }

    /// <summary>Connections of trusted proxies to the public listener begin with a PROXY protocol header, version 1 or 2; one without gets 400. Default false. From others none is
    /// taken, nor on the internal listener, nor behind TLS of ours, which the header would precede. Costs a system call per connection, and 112 bytes while it lasts.</summary>
    public bool ProxyProtocol { get; set; }

    /// <summary>The field of a request in which trusted proxies say whose it is, as <c>X-User</c>: the name by which its client is found among the users of its channels. Default: none. A proxy of
    /// <see cref="TrustedProxies"/> must write it, or remove what its client has written; from anybody else it is ignored. Costs about 100 bytes per client that has a name.</summary>
    public string? UserField { get; set; }

    /// <summary>Channels with subscribers or history at a time, and as many patterns. Default 1,000,000. A subscription or a publish that needs one more gets 503.</summary>
    public int ChannelsMax { get; set; } = 1_000_000;

    /// <summary>Channels in one subscription's address. Default 64; 1 to 1,024. Each costs about 100 bytes per connection; one more gets 400.</summary>
    public int ChannelsPerConnectionMax { get; set; } = 64;

    /// <summary>Longest message, in bytes, published or sent by a client. Default 1 MiB; 1 byte to 64 MiB, so that every encoded form of it fits in an array. A publisher gets 413, a client is closed with 1009.</summary>
    public int MessageBytesMax { get; set; } = 1024 * 1024;

    /// <summary>Fragments that a message of a client may come in. Default 131,072; 1 to 2,147,483,647. Empty fragments are legal, so that bytes alone are no limit. One more closes with 1008.</summary>
    public int MessageFragmentsMax { get; set; } = MessageReader.DefaultFragmentsMax;

    /// <summary>Agree to permessage-deflate (RFC 7692) with WebSocket clients that offer it, and deflate messages for them, each once for all. Default false. Saves bandwidth,
    /// often four fifths of it for JSON, and costs processor time per message and 150 KB per processor, but nothing per client; and whoever can put text of their own next to a
    /// secret in one message may guess the secret from its length. Needs the system's zlib (libz.so.1). A namespace may say otherwise.</summary>
    public bool Compression { get; set; }

    /// <summary>Bytes from which a message is deflated. Default 256; 1 to 64 MiB. Shorter ones gain nothing.</summary>
    public int CompressionBytesMin { get; set; } = 256;

    /// <summary>What channels keep, by pattern; the first that matches counts. Default: none, and nothing is kept. Up to 64.</summary>
    public List<NamespaceOptions> Namespaces { get; } = [];

    /// <summary>How the node shares its channels with others. Default: it is alone, and needs no NATS.</summary>
    public NatsBrokerSettings Nats { get; } = new();

    /// <summary>Bytes that the process may take, with what the kernel holds for its clients. Default 0: half of the memory that there is; else from 128 MiB. 64 MiB of it are
    /// set aside for the process itself, and a third of the rest for garbage that is not collected yet. From 80 % of what is left for messages and clients
    /// history shrinks, from 90 % the room for slow clients, who then meet the policy of their channel; see <c>docs/design.md</c>.</summary>
    public long MemoryBudgetBytes { get; set; }

    /// <summary>Messages that a channel keeps for clients that are slow at the moment. Default 1,024; 64 to 1,048,576. One that falls further behind than that, and than the
    /// channel's history, meets its lag policy. Memory is per channel, not per client, and only while somebody is slow.</summary>
    public int LogEntriesMax { get; set; } = 1024;

    /// <summary>Bytes of payload that a channel keeps for them. Default 4 MiB, at least 1. One message is always kept, however long. Encoded forms in use come on top, one per format.</summary>
    public long LogBytesMax { get; set; } = 4 * 1024 * 1024;

    /// <summary>Collect the heap when a crowd of clients has come or gone, so that what they left behind goes back to the system. Default true. One pause per crowd, of
    /// some milliseconds per 10,000 clients, and none while messages take more than 64 MiB; without it a quiet server holds on to the memory for as long as it stays quiet.</summary>
    public bool TrimsHeap { get; set; } = true;

    /// <summary>Longest request head, in bytes. Default 32 KiB; 256 bytes to 1 MiB. A longer one gets 431.</summary>
    public int HeadBytesMax { get; set; } = 32 * 1024;

    /// <summary>From a connection's first moment to the end of its request head. Default 10 s; 1 s to 1 h. Later gets 408.</summary>
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Messages and control frames that one client may send per second, with a second's worth at once. Default 5,000; 0 for any number, up to 1 Gi. Who sends more is
    /// read from more slowly, so that its own sends wait; nothing is lost, and nobody is closed. Lower bounds what one client costs, and slows honest bursts.</summary>
    public int ClientMessagesPerSecond { get; set; } = 5000;

    /// <summary>Bytes that one client may send per second once it has been let in, on any transport, with a second's worth at once. Default 8 MiB; 0 for any number, up to 1 GiB.
    /// Who sends more is read from more slowly. Lower bounds what one client costs, and makes long messages take longer.</summary>
    public int ClientBytesPerSecond { get; set; } = 8 * 1024 * 1024;

    /// <summary>Bytes of payload per second at which a WebSocket message or frame that was begun arrives at least, on average, after 10 s of grace. Default 240; 0 for none, up to 1 MiB.
    /// A client below that is closed with 1008. Higher frees the memory of half messages sooner, and ends clients on bad networks.</summary>
    public int ClientMessageRateMin { get; set; } = 240;

    /// <summary>Silence after which a WebSocket client is pinged, and an event stream gets a comment. Default 25 s, below the 30 or 60 s of common proxies; 1 s to 1 h.
    /// Shorter finds the dead sooner and costs two packets per client and interval.</summary>
    public TimeSpan PingInterval { get; set; } = TimeSpan.FromSeconds(25);

    /// <summary>How long a pinged client may stay silent, and how long any client may take nothing of what is sent to it. Default 20 s; 1 s to 1 h. Then it is cut.</summary>
    public TimeSpan PeerTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a client may take for its half of the closing handshake. Default 5 s; 1 s to 1 min. Then it is cut.</summary>
    public TimeSpan CloseTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long clients have to leave when the server stops. Default 1 s; 0 to 1 min. Then they are cut.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Bytes that may wait in the kernel for one client before they are sent (TCP_NOTSENT_LOWAT). Default 16 KiB; 1 KiB to 64 MiB. What is beyond waits in the
    /// channel's log, where it costs nothing and lag is seen. Larger means fewer wake-ups for clients that are sent a lot, and that much kernel memory for each
    /// client that reads slowly. Of the epoll transport.</summary>
    public int SocketUnsentBytesMax { get; set; } = 16 * 1024;

    /// <summary>The kernel's receive buffer per client (SO_RCVBUF), in bytes. Default 0: the kernel's own, which grows with a client that sends much; else 32 KiB to 64 MiB.
    /// A size of one's own bounds what clients can park in the kernel, and slows those that send a lot over long distances. Of the epoll transport.</summary>
    public int SocketReceiveBytes { get; set; }

    /// <summary>The kernel's send buffer per client (SO_SNDBUF), in bytes. Default 0: the kernel's own, which grows with a fast client; else 4 KiB to 64 MiB.
    /// A size of one's own bounds what a client can pin in the kernel, and its speed over long distances. Of the epoll transport.</summary>
    public int SocketSendBytes { get; set; }

    /// <summary>How long what was sent may stay unacknowledged, or a client's window shut, before the kernel gives the client up (TCP_USER_TIMEOUT). Default 45 s, and never
    /// shorter than <see cref="PeerTimeout"/>; 0 for the kernel's 15 minutes or so, up to 1 h. Shorter frees the memory of clients that vanished sooner, and cuts those in
    /// longer dead spots. Of the epoll transport.</summary>
    public TimeSpan SocketUserTimeout { get; set; } = TimeSpan.FromSeconds(45);

    internal const long MemoryBudgetBytesMin = 128 * 1024 * 1024;

    private const long ProcessItselfBytes = 64 * 1024 * 1024;

    internal long ProcessBudgetBytes =>
        MemoryBudgetBytes > 0 ? MemoryBudgetBytes : Math.Max(MemoryBudgetBytesMin, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2);

    /// <summary>Whether the epoll transport runs on this machine: the layout of its structures is that of x86-64 Linux.</summary>
    internal static bool IsEpollServed => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    internal SocketSettings ToSocketSettings() => new(SocketReceiveBytes, SocketSendBytes, SocketUnsentBytesMax, UserTimeoutMs);

    // The kernel counts a window that stays shut as well. How long a client may take nothing is the peer timeout's to say.
    private int UserTimeoutMs => SocketUserTimeout == TimeSpan.Zero ? 0 : (int)Math.Max(SocketUserTimeout.TotalMilliseconds, PeerTimeout.TotalMilliseconds);

    /// <summary>There is something to agree to it for.</summary>
    internal bool AgreesToCompression => Compression || Namespaces.Any(settings => settings.Compression == true);

    internal RequestHeadLimits ToHeadLimits() => new() { HeadBytesMax = HeadBytesMax };

    internal ChannelLimits ToChannelLimits() => new()
    {
        LogEntriesMax = LogEntriesMax,
        LogBytesMax = LogBytesMax,
        ChannelsMax = ChannelsMax,
        MemoryBudgetBytes = (ProcessBudgetBytes - ProcessItselfBytes) / 3 * 2,
        CompressionBytesMin = CompressionBytesMin,
        Compresses = Compression,
        Namespaces = [.. Namespaces.Select(settings => settings.ToNamespace(Compression))],
    };

    internal ClientLimits ToClientLimits() => new(
        ClientMessagesPerSecond == 0 ? ClientLimits.None : ClientMessagesPerSecond,
        ClientBytesPerSecond == 0 ? ClientLimits.None : ClientBytesPerSecond,
        ClientMessageRateMin);

    internal ConnectionTimeouts ToTimeouts() => new()
    {
        HandshakeMs = (long)HandshakeTimeout.TotalMilliseconds,
        PingMs = (long)PingInterval.TotalMilliseconds,
        PeerMs = (long)PeerTimeout.TotalMilliseconds,
        CloseMs = (long)CloseTimeout.TotalMilliseconds,
    };
}
