namespace RawPush.Server.Transport;

/// <summary>What the kernel is told about every connection.</summary>
/// <param name="ReceiveBytes">SO_RCVBUF; 0 leaves the size to the kernel, which adapts it to the connection.</param>
/// <param name="SendBytes">SO_SNDBUF; 0 leaves the size to the kernel.</param>
/// <param name="UnsentBytesMax">TCP_NOTSENT_LOWAT: bytes that may wait in the kernel without having been sent.</param>
/// <param name="UserTimeoutMs">TCP_USER_TIMEOUT: how long sent bytes may stay unacknowledged; 0 leaves it to the kernel's retransmissions.</param>
internal sealed record SocketSettings(int ReceiveBytes, int SendBytes, int UnsentBytesMax, int UserTimeoutMs);
