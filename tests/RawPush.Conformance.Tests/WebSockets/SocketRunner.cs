using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>Plays a case over a real socket against a whole server.</summary>
internal static class SocketRunner
{
    public static async Task RunAsync(EchoHost echo, WebSocketCase sample)
    {
        await using var client = await echo.OpenAsync(sample);
        foreach (var exchange in sample.WithGoodbye().Exchanges)
        {
            var sending = SendAsync(client, exchange.Sent, sample.ChopBytes);
            foreach (string reply in exchange.Replies)
            {
                Assert.Equal(reply, Reply.Of(await client.ReadFrameAsync()));
            }

            await sending;

            // So that what comes next is a read of its own.
            await echo.Host.SettleAsync();
        }

        await AssertEndsAsync(client, sample);
        Assert.Empty(echo.Host.Logs.AboveDebug);
    }

    private static async Task AssertEndsAsync(RawClient client, WebSocketCase sample)
    {
        // Who broke the rules is read out for a while, lest a reset destroys what was said to it (RFC 9112 section 9.6). Ending our half ends that;
        // Kestrel's sockets end their half no sooner.
        if (sample.Replies.Any(Reply.IsRefusal) && !sample.WaitsForTheEnd)
        {
            client.EndSending();
        }

        // Section 7.1.1: after the closing handshake it is the server that ends the stream, and nothing comes behind its close frame.
        Assert.Empty(await client.ReadToEndAsync());
    }

    private static async Task SendAsync(RawClient client, byte[] bytes, int chopBytes)
    {
        if (chopBytes == 0)
        {
            await client.SendAsync(bytes);
            return;
        }

        for (int start = 0; start < bytes.Length; start += chopBytes)
        {
            await client.SendAsync(bytes.AsMemory(start, Math.Min(chopBytes, bytes.Length - start)));
        }
    }
}
