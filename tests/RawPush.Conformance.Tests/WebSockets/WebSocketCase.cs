using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>Bytes that a client sends, and the frames that the server must have sent by then (see <see cref="Reply"/>), before the client sends anything else.</summary>
public sealed record Exchange(byte[] Sent, params string[] Replies);

/// <summary>One case of the suite. Data only: the runners decide how the bytes travel.</summary>
/// <param name="Number">Topic, section and place in it.</param>
/// <param name="Sentence">What the case shows.</param>
/// <param name="Exchanges">What is said, in order. When the last reply is a close frame the stream must end behind it.</param>
public sealed record WebSocketCase(string Number, string Sentence, IReadOnlyList<Exchange> Exchanges)
{
    /// <summary>Longest message that is taken.</summary>
    public int MessageBytesMax { get; init; } = PushHost.EchoBytesMax;

    /// <summary>The address, for a case that is only run over a socket; null for the echo with the limit above.</summary>
    public string? Target { get; init; }

    /// <summary>permessage-deflate was offered, and agreed to.</summary>
    public bool IsCompressed { get; init; }

    /// <summary>Bytes per send over a socket; 0 for all of an exchange at once.</summary>
    public int ChopBytes { get; init; }

    /// <summary>The client waits for the end of the stream and does not end its own half before.</summary>
    public bool WaitsForTheEnd { get; init; }

    /// <summary>All that the client sends.</summary>
    public byte[] Wire => [.. Exchanges.SelectMany(exchange => exchange.Sent)];

    /// <summary>All that the server sends.</summary>
    public IEnumerable<string> Replies => Exchanges.SelectMany(exchange => exchange.Replies);

    /// <summary>The same, with a goodbye behind whatever does not end by itself, which shows that the connection is in order.</summary>
    public WebSocketCase WithGoodbye() => Replies.Any(Reply.IsClose)
        ? this
        : this with { Exchanges = [.. Exchanges, new Exchange(ClientFrames.Close(1000), Reply.Close(1000))] };

    public override string ToString() => $"{Number} {Sentence}";
}
