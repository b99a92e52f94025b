namespace RawPush.Fanout.Presence;

/// <summary>As many channels are being asked about as may be at a time.</summary>
public sealed class PresenceBusyException() : Exception("too many channels are asked about at the moment");
