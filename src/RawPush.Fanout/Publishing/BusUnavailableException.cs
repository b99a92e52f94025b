namespace RawPush.Fanout.Publishing;

/// <summary>The node is cut off from the others, and was told to take no subscriptions meanwhile or cannot get what was asked for; or it listens to as much as it may.</summary>
public sealed class BusUnavailableException() : Exception("the server is cut off from the others at the moment");
