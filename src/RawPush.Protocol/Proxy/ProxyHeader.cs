namespace RawPush.Protocol.Proxy;

/// <summary>What a proxy says of the connection that it carries.</summary>
/// <param name="Length">Bytes of the header.</param>
/// <param name="Source">Who connected to the proxy. Null: the proxy speaks for itself, or says nothing of use, and the address of the connection counts.</param>
/// <param name="SourcePort">The port there.</param>
public readonly record struct ProxyHeader(int Length, HostAddress? Source, ushort SourcePort);
