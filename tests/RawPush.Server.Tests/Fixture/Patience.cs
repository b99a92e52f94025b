namespace RawPush.Server.Tests.Fixture;

/// <summary>How long a test waits for what must come. Never reached by a test that passes, so it says nothing about speed.</summary>
internal static class Patience
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>Cancelled when the limit has passed from now on, or the run is cancelled.</summary>
    public static CancellationToken Token
    {
        get
        {
            var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            source.CancelAfter(Limit);
            return source.Token;
        }
    }
}
