namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>One case of the opening handshake. Data only.</summary>
/// <param name="Number">Topic, section and place in it.</param>
/// <param name="Sentence">What the case shows.</param>
/// <param name="Head">The request head as it is sent, byte for byte as Latin-1.</param>
/// <param name="Status">The status of the answer.</param>
public sealed record HandshakeCase(string Number, string Sentence, string Head, int Status)
{
    /// <summary>A field that the answer must have, or with a null value must not have.</summary>
    public (string Name, string? Value)? Field { get; init; }

    /// <summary>What the client sends in the segment of its head.</summary>
    public byte[] Behind { get; init; } = [];

    /// <summary>Frames of the server, behind its answer.</summary>
    public IReadOnlyList<string> Replies { get; init; } = [];

    /// <summary>Holds for the first request of a connection. Behind another it is Kestrel that reads the head and the body, in its own way.</summary>
    public bool IsForFirstRequest { get; init; }

    public override string ToString() => $"{Number} {Sentence}";
}
