using System.Text;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Transport;

/// <summary>Request heads on real sockets: longer than the kernel keeps, in every number of pieces, with bytes behind them.</summary>
public sealed class SocketHeadTests
{
    private static readonly byte[] Behind = [.. ClientFrames.Text("one"), .. ClientFrames.Text("two")];

    [Fact]
    public async Task AHeadThatIsLongerThanTheKernelKeepsIsReadWhole()
    {
        await using var host = await LoopHost.StartAsync(setup => setup.Options = options =>
        {
            options.HeadBytesMax = 1024 * 1024;
            options.SocketReceiveBytes = 32 * 1024;
        });
        string cookies = string.Concat(Enumerable.Range(0, 60).Select(i => $"Cookie: c{i}={new string('x', 7000)}\r\n"));
        await using var client = await host.ConnectAsync();
        await client.SendAsync((byte[])[.. Encoding.ASCII.GetBytes(Heads.Upgrade("/echo", cookies)), .. Behind]);
        Assert.StartsWith("HTTP/1.1 101 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.Equal("one", (await client.ReadFrameAsync()).Text);
        Assert.Equal("two", (await client.ReadFrameAsync()).Text);
    }

    [Fact]
    public async Task AHeadWithFramesBehindItMayBeCutAnywhere()
    {
        await using var host = await LoopHost.StartAsync();
        byte[] wire = [.. Encoding.ASCII.GetBytes(Heads.Upgrade("/echo")), .. Behind];
        for (int cut = 1; cut < wire.Length; cut++)
        {
            await using var client = await host.ConnectAsync();
            await client.SendAsync(wire.AsMemory(0, cut));
            await host.SettleAsync();
            await client.SendAsync(wire.AsMemory(cut));
            Assert.StartsWith("HTTP/1.1 101 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
            Assert.Equal("one", (await client.ReadFrameAsync()).Text);
            Assert.Equal("two", (await client.ReadFrameAsync()).Text);
        }
    }

    [Fact]
    public async Task AForeignRequestIsAnsweredByAspNetCoreWhereverItIsCut()
    {
        await using var host = await LoopHost.StartAsync();
        string wire = Heads.Get("/hello?x=1", "Cookie: a=b\r\n");
        for (int cut = 1; cut < wire.Length; cut++)
        {
            await using var client = await host.ConnectAsync();
            await client.SendAsync(wire[..cut]);
            await host.SettleAsync();
            await client.SendAsync(wire[cut..]);
            Assert.Equal(PushHost.Hello, (await client.ReadResponseAsync()).Body);
        }

        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task AHeadOverTheLimitIsRefused()
    {
        await using var host = await LoopHost.StartAsync();
        string cookies = string.Concat(Enumerable.Range(0, 8).Select(i => $"Cookie: c{i}={new string('x', 7000)}\r\n"));
        await using var client = await host.ConnectAsync();
        await client.SendAsync(Heads.Upgrade("/echo", cookies));
        Assert.StartsWith("HTTP/1.1 431 ", (await client.ReadResponseAsync()).Head, StringComparison.Ordinal);
    }
}
