namespace RawPush.Server.Messages;

/// <summary>A WebSocket address whose messages go to a handler.</summary>
/// <param name="Path">The address, as <c>/echo</c>; null stands for the channels' own addresses.</param>
/// <param name="Handler">Who answers.</param>
/// <param name="MessageBytesMax">Longest message taken, in bytes; 0 for the server's setting. A longer one ends the connection with 1009.</param>
internal sealed record ClientMessageRoute(string? Path, IClientMessageHandler Handler, int MessageBytesMax);
