namespace RawPush.Server.Connections;

/// <summary>What a listener allows. A feature of each of its connections, also of those that Kestrel's HTTP server serves.</summary>
internal sealed class PushListener
{
    public static readonly PushListener Public = new(mayPublish: false);

    public static readonly PushListener Internal = new(mayPublish: true);

    public static PushListener For(bool mayPublish) => mayPublish ? Internal : Public;

    private PushListener(bool mayPublish) => MayPublish = mayPublish;

    /// <summary>Whether whoever reaches it may publish.</summary>
    public bool MayPublish { get; }

    /// <summary>Whether proxies may announce their clients by PROXY headers here, if the settings say so. Not where backends are: they come without proxies.</summary>
    public bool TakesProxyHeaders => !MayPublish;
}
