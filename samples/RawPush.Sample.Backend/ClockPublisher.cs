using System.Globalization;
using RawPush.Fanout.Publishing;

namespace RawPush.Sample.Backend;

/// <summary>Publishes the time to channel <c>clock</c>, once a second.</summary>
internal sealed class ClockPublisher(IPushPublisher publisher, TimeProvider time) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await publisher.PublishAsync("clock", time.GetUtcNow().ToString("O", CultureInfo.InvariantCulture), stoppingToken);
        }
    }
}
