using System.Threading.Channels;
using RawPush.Swarm.Cluster;

namespace RawPush.Swarm.Bus;

/// <summary>Publishes over HTTP as a backend does, by connections that are kept: one message on each at a time, so that a slow answer does not hold up the next message.</summary>
/// <remarks>Safe for threads.</remarks>
internal sealed class HttpPublisher : IDisposable
{
    private const int Connections = 8;

    private readonly Channel<PublishConnection> _free = Channel.CreateBounded<PublishConnection>(Connections);

    public HttpPublisher(int internalPort)
    {
        for (int i = 0; i < Connections; i++)
        {
            _free.Writer.TryWrite(new PublishConnection(internalPort));
        }
    }

    /// <summary>Publishes a message. The task ends with the node's answer, which must be that it was published.</summary>
    public async Task PublishAsync(string channel, ReadOnlyMemory<byte> payload)
    {
        var connection = await _free.Reader.ReadAsync();
        var answer = await connection.PublishAsync(channel, payload, key: null);
        _free.Writer.TryWrite(connection);
        if (answer.Fate != PublishFate.Acknowledged)
        {
            throw new InvalidOperationException($"a node answered a publish with {answer.Status}: {answer.Text}");
        }
    }

    /// <summary>Closes those that nobody uses, which are all when nobody publishes any more.</summary>
    public void Dispose()
    {
        while (_free.Reader.TryRead(out var connection))
        {
            connection.Dispose();
        }
    }
}
