using Microsoft.Extensions.Time.Testing;
using RawPush.Server.Hosting;

namespace RawPush.Server.Tests.Hosting;

public sealed class HeapTrimmerTests
{
    private readonly FakeTimeProvider _time = new();
    private long _changes;
    private int _trims;

    [Fact]
    public void ItTrimsOnceAfterTheStart()
    {
        using var trimmer = Create();
        Assert.Equal(0, _trims);
        Pass(seconds: 100, changesEach: 0);
        Assert.Equal(1, _trims);
    }

    [Theory]
    [InlineData(999, 0)]
    [InlineData(1000, 1)]
    public void ItTrimsWhenACrowdHasPassed(int crowd, int trims)
    {
        using var trimmer = CreateAfterStart();
        Pass(seconds: 1, changesEach: crowd);
        Assert.Equal(0, _trims);
        Pass(seconds: 100, changesEach: 0);
        Assert.Equal(trims, _trims);
    }

    [Fact]
    public void ItWaitsWhileTheCrowdIsStillComing()
    {
        using var trimmer = CreateAfterStart();
        Pass(seconds: 20, changesEach: 5000);
        Assert.Equal(0, _trims);
        Pass(seconds: 1, changesEach: 900);
        Assert.Equal(1, _trims);
    }

    [Fact]
    public void SteadyComingAndGoingIsTrimmedEveryHundredSecondsAtMost()
    {
        using var trimmer = CreateAfterStart();
        Pass(seconds: 1000, changesEach: 500);
        Assert.InRange(_trims, 1, 10);
    }

    /// <summary>One that has trimmed what the start had left.</summary>
    private HeapTrimmer CreateAfterStart()
    {
        var trimmer = Create();
        Pass(seconds: 1, changesEach: 0);
        _trims = 0;
        return trimmer;
    }

    private HeapTrimmer Create() => new(() => _changes, () => _trims++, _time);

    private void Pass(int seconds, int changesEach)
    {
        for (int i = 0; i < seconds; i++)
        {
            _changes += changesEach;
            _time.Advance(TimeSpan.FromSeconds(1));
        }
    }
}
