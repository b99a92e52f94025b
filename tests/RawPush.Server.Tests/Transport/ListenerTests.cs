using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.AspNetCore.Hosting;
using RawPush.Server.Hosting;
using RawPush.Server.Tests.Fixture;
using RawPush.Server.Transport;

namespace RawPush.Server.Tests.Transport;

public sealed class ListenerTests
{
    private static readonly SocketSettings Settings = new(ReceiveBytes: 0, SendBytes: 0, UnsentBytesMax: 12_345, UserTimeoutMs: 45_678);

    [Theory]
    [InlineData("[::1]:0")]
    [InlineData("127.0.0.1:0")]
    [InlineData("*:0")]
    public async Task ItListensOnEveryKindOfAddress(string address)
    {
        await using var host = await LoopHost.StartAsync(setup => setup.Options = options =>
        {
            options.Public = address;
            options.Shards = 2;
        });
        IPAddress[] targets = address[0] switch { '*' => [IPAddress.Loopback, IPAddress.IPv6Loopback], '[' => [IPAddress.IPv6Loopback], _ => [IPAddress.Loopback] };
        foreach (var target in targets)
        {
            await AssertIsServedAsync(new IPEndPoint(target, host.Public.Port));
        }
    }

    [Fact]
    public async Task ItListensOnAUnixSocketWithAllLoops()
    {
        string path = Path.Combine(Path.GetTempPath(), $"rawpush-{Guid.NewGuid():n}.sock");
        await using (var host = await LoopHost.StartAsync(setup =>
        {
            setup.Options = options => options.Shards = 2;
            setup.Listeners = kestrel => kestrel.ListenRawPush(new UnixDomainSocketEndPoint(path));
        }))
        {
            for (int i = 0; i < 10; i++)
            {
                await AssertIsServedAsync(new UnixDomainSocketEndPoint(path));
            }
        }

        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task TheSettingsTakeAUnixSocketToo()
    {
        string path = Path.Combine(Path.GetTempPath(), $"rawpush-{Guid.NewGuid():n}.sock");
        await using var server = await PushHost.StartAsync(setup => setup.Options = options => options.Public = $"unix:{path}");
        await AssertIsServedAsync(new UnixDomainSocketEndPoint(path));
    }

    [Fact]
    public void APortInUseIsAnErrorAlthoughTheLoopsShareIt()
    {
        using var first = ListeningSockets.Listen(new IPEndPoint(IPAddress.Loopback, 0), loops: 3, Settings);
        var exception = Assert.Throws<SocketException>(() => ListeningSockets.Listen(first.EndPoint, loops: 3, Settings));
        Assert.Equal(SocketError.AddressAlreadyInUse, exception.SocketErrorCode);
        Assert.Equal(3, new[] { 0, 1, 2 }.Select(first.DescriptorFor).Distinct().Count());
    }

    [Fact]
    public async Task ARestartNeedNotWaitForConnectionsThatTheServerClosed()
    {
        await using var host = await LoopHost.StartAsync(setup => setup.Options = options => options.Shards = 2);
        var address = new IPEndPoint(IPAddress.Loopback, host.Public.Port);
        await using var client = await host.OpenEventsAsync("/channels/a");
        await host.StopAsync();
        await client.ReadToEndAsync();
        await client.DisposeAsync();

        // The server closed first, so its port has a connection in TIME_WAIT for a minute.
        using var sockets = ListeningSockets.Listen(address, loops: 2, Settings);
        Assert.Equal(address, sockets.EndPoint);
    }

    [Fact]
    public async Task AcceptedConnectionsInheritTheirOptions()
    {
        using var sockets = ListeningSockets.Listen(new IPEndPoint(IPAddress.Loopback, 0), loops: 1, Settings);
        await using var client = await RawClient.ConnectAsync(((IPEndPoint)sockets.EndPoint).Port);
        int accepted = Libc.Accept(sockets.DescriptorFor(0));
        using var socket = new Socket(new SafeSocketHandle(accepted, ownsHandle: true));
        Assert.True(socket.NoDelay);
        Assert.Equal(12_345, Read(socket, level: 6, name: 25));   // TCP_NOTSENT_LOWAT
        Assert.Equal(45_678, Read(socket, level: 6, name: 18));   // TCP_USER_TIMEOUT

        static int Read(Socket socket, int level, int name)
        {
            Span<int> value = [0];
            socket.GetRawSocketOption(level, name, MemoryMarshal.AsBytes(value));
            return value[0];
        }
    }

    [Theory]
    [InlineData(45, 20, 45_000)]
    [InlineData(45, 300, 300_000)]
    [InlineData(0, 300, 0)]
    public void TheKernelNeverCutsAClientBeforeThePeerTimeout(int userSeconds, int peerSeconds, int milliseconds)
    {
        var options = new RawPushOptions { SocketUserTimeout = TimeSpan.FromSeconds(userSeconds), PeerTimeout = TimeSpan.FromSeconds(peerSeconds) };
        Assert.Equal(milliseconds, options.ToSocketSettings().UserTimeoutMs);
    }

    [Fact]
    public async Task ALoopServesAllThatComeAtOnce()
    {
        // More than it accepts in a turn, and more than its first table of descriptors has places for.
        await using var host = await LoopHost.StartAsync();
        var clients = new List<RawClient>();
        using (await host.HoldAsync())
        {
            for (int i = 0; i < 400; i++)
            {
                var client = await host.ConnectAsync();
                await client.SendAsync(Heads.Upgrade("/channels/a"));
                clients.Add(client);
            }
        }

        foreach (var client in clients)
        {
            Assert.StartsWith("HTTP/1.1 101 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        }

        Assert.Equal(400, (await host.PublishAsync("a", "all")).Subscribers);
        foreach (var client in clients)
        {
            Assert.Equal("all", (await client.ReadFrameAsync()).Text);
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task WithoutDescriptorsItSaysSoOnceWaitsAndGoesOn()
    {
        const int OpenFilesMax = 500;
        const int Clients = 400;
        await using var server = await ServerProcess.StartAsync("RawPush.Server.dll", OpenFilesMax, ["RawPush:Transport=Epoll"]);
        var clients = new List<RawClient>();
        for (int i = 0; i < Clients; i++)
        {
            // Those that it has no descriptor for wait in the kernel.
            var client = await RawClient.ConnectAsync(server.Ports[0]);
            await client.SendAsync(Heads.Upgrade("/channels/a"));
            clients.Add(client);
        }

        await ReadToAsync("No more connections are accepted");

        // It asks the kernel again once a second, instead of being told without end that there is somebody.
        var before = server.ProcessorTime;
        long started = TimeProvider.System.GetTimestamp();
        await Task.Delay(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken);
        Assert.True((server.ProcessorTime - before) * 2 < TimeProvider.System.GetElapsedTime(started));

        // Each who leaves makes room for one who waits.
        foreach (var client in clients)
        {
            Assert.StartsWith("HTTP/1.1 101 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
            await client.DisposeAsync();
        }

        await ReadToAsync("Connections are accepted again");
        var (exitCode, output, _) = await server.EndAsync("TERM");
        Assert.Equal(0, exitCode);
        Assert.DoesNotContain("accepted", output, StringComparison.Ordinal);

        async Task ReadToAsync(string sign)
        {
            for (string? line = await server.ReadLineAsync(); line?.Contains(sign, StringComparison.Ordinal) != true; line = await server.ReadLineAsync())
            {
                Assert.NotNull(line);

                // Once is enough, whatever the loops go through in between.
                Assert.DoesNotContain("No more connections are accepted", line, StringComparison.Ordinal);
            }
        }
    }

    private static async Task AssertIsServedAsync(EndPoint endPoint)
    {
        // A push request, by our own loops, and one for the application, by Kestrel.
        Assert.StartsWith("HTTP/1.1 101 ", await AskAsync(endPoint, Heads.Upgrade("/echo")), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", await AskAsync(endPoint, Heads.Get("/hello")), StringComparison.Ordinal);
    }

    private static async Task<string> AskAsync(EndPoint endPoint, string head)
    {
        using var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(endPoint, Patience.Token);
        await socket.SendAsync(Encoding.ASCII.GetBytes(head), Patience.Token);
        byte[] answer = new byte[4096];
        int read = await socket.ReceiveAsync(answer, Patience.Token);
        return Encoding.ASCII.GetString(answer, 0, read);
    }
}
