using System.Text.RegularExpressions;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.Http;

/// <summary>A kind of request, with what makes it one.</summary>
/// <param name="Name">For people.</param>
/// <param name="Target">Its address.</param>
/// <param name="Fields">The field lines that it needs beside Host.</param>
/// <param name="Status">How it is answered when nothing is wrong.</param>
internal sealed partial record PushRoute(string Name, string Target, string Fields, int Status)
{
    private const string Upgrade = $"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {Heads.Key}\r\nSec-WebSocket-Version: 13\r\n";

    public static readonly PushRoute Events = new("events", "/channels/a", "Accept: text/event-stream\r\n", 200);
    public static readonly PushRoute Lines = new("lines", "/channels/a", "Accept: application/x-ndjson\r\n", 200);
    public static readonly PushRoute Poll = new("poll", "/channels/a", string.Empty, 200);
    public static readonly PushRoute WebSocket = new("WebSocket", "/channels/a", Upgrade, 101);
    public static readonly PushRoute Echo = new("echo", "/echo", Upgrade, 101);

    /// <summary>Not ours.</summary>
    public static readonly PushRoute Foreign = new("foreign", "/hello", string.Empty, 200);

    public static readonly PushRoute[] Ours = [Events, Lines, Poll, WebSocket, Echo];

    public static PushRoute Named(string name) => Ours.Append(Foreign).Single(route => route.Name == name);

    /// <summary>Whether a request line that nobody can read still says that it is for a channel. Otherwise Kestrel refuses it, without a sentence.</summary>
    public static bool IsRecognizable(string wire) => Recognizable().IsMatch(wire);

    /// <summary>How a good head is answered. HTTP/1.0 has no upgrades (RFC 6455, section 4.2.1).</summary>
    public int StatusOf(string wire) => Status == 101 && wire.Contains(" HTTP/1.0\r\n", StringComparison.Ordinal) ? 426 : Status;

    public override string ToString() => Name;

    [GeneratedRegex("\\A[^ ]{1,20} /channels/")]
    private static partial Regex Recognizable();
}
