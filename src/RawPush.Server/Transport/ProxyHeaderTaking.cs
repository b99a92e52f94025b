using RawPush.Protocol;
using RawPush.Protocol.Proxy;
using RawPush.Server.Connections;

namespace RawPush.Server.Transport;

/// <summary>Takes a PROXY header from a socket. Its bytes stay in the kernel until all of it is there, and what follows stays there for whoever reads on.</summary>
internal static class ProxyHeaderTaking
{
    /// <summary>Looks at what has come. <see cref="HeadVerdict.Ours"/>: the header is taken.</summary>
    public static HeadVerdict Take(int socket, byte[] buffer, bool hasPeerClosed, out ProxyHeader header)
    {
        header = default;
        int count = Libc.Peek(socket, buffer);
        if (count <= 0)
        {
            return count == Libc.TryAgain ? HeadVerdict.NeedMore : HeadVerdict.Gone;
        }

        switch (ProxyHeaderReader.TryRead(buffer.AsSpan(0, count), out header))
        {
            case ReadStatus.Done:
                _ = Libc.Receive(socket, buffer.AsSpan(0, header.Length));
                return HeadVerdict.Ours;
            case ReadStatus.NeedMore:
                return hasPeerClosed ? HeadVerdict.Gone : HeadVerdict.NeedMore;
            default:
                return HeadVerdict.Refused;
        }
    }
}
