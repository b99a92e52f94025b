using NATS.Client.Core;
using RawPush.Swarm.Clients;

namespace RawPush.Swarm.Bus;

/// <summary>A subscriber as the NATS client library has it, without anything of ours: what RawPush is measured against.</summary>
internal sealed class NatsReader : IAsyncDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _reading;

    private NatsReader(INatsSub<byte[]> subscription, Action<Payload> onPayload) => _reading = ReadAsync(subscription, onPayload);

    /// <summary>Subscribes. The task ends when the server has heard of it.</summary>
    public static async Task<NatsReader> OpenAsync(NatsConnection connection, string subject, Action<Payload> onPayload)
    {
        var subscription = await connection.SubscribeCoreAsync<byte[]>(subject);
        await connection.PingAsync();
        return new NatsReader(subscription, onPayload);
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _reading;
        _ending.Dispose();
    }

    private async Task ReadAsync(INatsSub<byte[]> subscription, Action<Payload> onPayload)
    {
        try
        {
            await foreach (var message in subscription.Msgs.ReadAllAsync(_ending.Token))
            {
                if (message.Data is { Length: >= Payload.HeaderLength } data && Payload.TryRead(data, out var payload))
                {
                    onPayload(payload);
                }
            }
        }
        catch (OperationCanceledException)
        {
            await subscription.DisposeAsync();
        }
    }
}
