using RawPush.Protocol.Http;

namespace RawPush.Server.Requests;

/// <summary>Decides at the request line whether a request is ours, and takes down what matters of it.</summary>
internal readonly struct PushHeadHandler(PushRequest request, PushRoutes routes) : IRequestHeadHandler
{
    public bool OnRequestLine(scoped ReadOnlySpan<byte> method, scoped ReadOnlySpan<byte> target, Protocol.Http.HttpVersion version)
    {
        if (!RequestTarget.TryParse(target, out var parts) || !IsOurs(method, parts.Path))
        {
            return false;
        }

        request.SetRequestLine(method, target, version);
        return true;
    }

    public void OnField(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value) => request.AddField(name, value);

    // A POST to a channel is a publish: a request with a body, which Kestrel's HTTP server reads well. What is asked about channels, it answers.
    private bool IsOurs(ReadOnlySpan<byte> method, ReadOnlySpan<byte> path) =>
        PushRoutes.TryGetChannels(path, out _) ? !PushRoutes.TryGetPresence(path, out _) && !method.SequenceEqual("POST"u8) : routes.FindHandler(path) is not null;
}
