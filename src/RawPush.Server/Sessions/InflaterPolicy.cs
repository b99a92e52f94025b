using Microsoft.Extensions.ObjectPool;
using RawPush.Protocol.WebSockets.Deflate;

namespace RawPush.Server.Sessions;

/// <summary>Makes inflaters; each serves any number of clients after another.</summary>
internal sealed class InflaterPolicy : PooledObjectPolicy<MessageInflater>
{
    public override MessageInflater Create() => new();

    public override bool Return(MessageInflater obj) => true;
}
