using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using RawPush.Server.Connections;

namespace RawPush.Server.Transport;

/// <summary>A listener whose connections the event loops accept and serve. What is not a push request comes out of <see cref="AcceptAsync"/>, untouched, for Kestrel.</summary>
internal sealed class LoopListener : IConnectionListener
{
    private readonly ListeningSockets _sockets;
    private readonly Acceptor[] _acceptors;
    private readonly SocketConnectionContextFactory _factory;

    // As long as there are descriptors: each item is one, and Kestrel takes them as fast as it can make connections of them.
    private readonly Channel<Foreign> _foreign = Channel.CreateUnbounded<Foreign>(new UnboundedChannelOptions { SingleReader = true });
    private bool _isUnbound;
    private int _out;

    public LoopListener(ListeningSockets sockets, PushListener listener, FrontDoor door, ILoggerFactory loggers)
    {
        _sockets = sockets;
        Listener = listener;
        var logger = loggers.CreateLogger<LoopListener>();
        _factory = new SocketConnectionContextFactory(new SocketConnectionFactoryOptions(), logger);
        _acceptors = [.. door.Loops.All.Select((loop, index) => new Acceptor(this, sockets.DescriptorFor(index), loop, door, logger))];
    }

    public EndPoint EndPoint => _sockets.EndPoint;

    public PushListener Listener { get; }

    public void Start() => Array.ForEach(_acceptors, acceptor => acceptor.Events.Post(acceptor.Start));

    /// <summary>A connection for Kestrel. Any thread.</summary>
    /// <param name="descriptor">The socket, which is the listener's from now on.</param>
    /// <param name="proxied">Whom the PROXY header named that was taken from it; null if there was none.</param>
    public void HandOn(int descriptor, EndPoint? proxied)
    {
        if (!_foreign.Writer.TryWrite(new Foreign(descriptor, proxied)))
        {
            Libc.Close(descriptor);
        }
    }

    /// <summary>A loop is out of descriptors. True: the others are not, so this is news.</summary>
    public bool OneMoreIsOut() => Interlocked.Increment(ref _out) == 1;

    /// <summary>A loop has accepted all that waited. True: it was the last that was out.</summary>
    public bool OneLessIsOut() => Interlocked.Decrement(ref _out) == 0;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _foreign.Reader.WaitToReadAsync(cancellationToken))
        {
            if (_foreign.Reader.TryRead(out var foreign) && CreateContext(foreign) is { } context)
            {
                return context;
            }
        }

        return null;
    }

    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        if (_isUnbound)
        {
            return;
        }

        _isUnbound = true;
        await Task.WhenAll(_acceptors.Select(acceptor => acceptor.Events.RunAsync(acceptor.Stop)));
        _sockets.Dispose();
        _foreign.Writer.Complete();
    }

    public async ValueTask DisposeAsync()
    {
        await UnbindAsync();
        while (_foreign.Reader.TryRead(out var foreign))
        {
            Libc.Close(foreign.Descriptor);
        }

        _factory.Dispose();
    }

    private ConnectionContext? CreateContext(Foreign foreign)
    {
        try
        {
            var socket = new Socket(new SafeSocketHandle(foreign.Descriptor, ownsHandle: true));
            ListeningSockets.Restore(socket);
            var context = _factory.Create(socket);
            context.Features.Set(Listener);
            if (foreign.Proxied is not null)
            {
                context.RemoteEndPoint = foreign.Proxied;
            }

            return context;
        }
        catch (SocketException)
        {
            // The peer has gone meanwhile; the handle is closed by its finalizer.
            return null;
        }
    }

    private readonly record struct Foreign(int Descriptor, EndPoint? Proxied);
}
