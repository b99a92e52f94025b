using System.Net.WebSockets;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.Proxies;

/// <summary>What .NET's WebSocket leaves to its users.</summary>
internal static class WebSockets
{
    /// <summary>A message from its first fragment to its last.</summary>
    public static async Task<byte[]> ReceiveWholeAsync(this WebSocket socket)
    {
        using var message = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer, Patience.Token);
            Assert.NotEqual(WebSocketMessageType.Close, part.MessageType);
            message.Write(buffer, 0, part.Count);
            if (part.EndOfMessage)
            {
                return message.ToArray();
            }
        }
    }
}
