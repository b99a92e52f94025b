using System.Globalization;

namespace RawPush.Fanout.Brokers.Nats;

/// <summary>What is known of a connection that is not there: to which servers, since when, and what NATS has said against it. Safe for threads.</summary>
/// <param name="urls">The servers of the settings. Who we are may stand in them; that is not told.</param>
/// <param name="time">Whose time of day.</param>
internal sealed class BusTrouble(string urls, TimeProvider time)
{
    private readonly string _servers = string.Join(", ", urls.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(ServerOf));
    private volatile string _since = Write(time.GetUtcNow());
    private volatile string? _error;

    /// <summary>There is no connection from now on.</summary>
    public void Begin() => _since = Write(time.GetUtcNow());

    /// <summary>There is one.</summary>
    public void End() => _error = null;

    /// <summary>NATS has refused something.</summary>
    public void Note(string error) => _error = $"; NATS said at {Write(time.GetUtcNow())}: {error}";

    /// <summary>A sentence for operators.</summary>
    public override string ToString() => $"not connected to NATS ({_servers}) since {_since}{_error}";

    private static string ServerOf(string url) => Uri.TryCreate(url, UriKind.Absolute, out var uri) ? uri.GetComponents(UriComponents.SchemeAndServer, UriFormat.Unescaped) : url;

    private static string Write(DateTimeOffset at) => at.ToString("u", CultureInfo.InvariantCulture);
}
