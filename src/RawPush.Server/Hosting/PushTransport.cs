namespace RawPush.Server.Hosting;

/// <summary>How the connections of <c>ListenRawPush</c> are served.</summary>
public enum PushTransport
{
    /// <summary>By our own event loops on Linux's epoll: a few hundred bytes per idle client. x86-64 only.</summary>
    Epoll,

    /// <summary>By Kestrel's sockets: everywhere, at several kilobytes per idle client.</summary>
    Sockets,
}
