using System.ComponentModel;
using System.Diagnostics;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Clients;

/// <summary>curl, running.</summary>
internal sealed class Curl : IAsyncDisposable
{
    private readonly Process _process;

    private Curl(Process process) => _process = process;

    public static Curl Start(params string[] arguments)
    {
        // Without the settings of whoever runs the tests.
        var start = new ProcessStartInfo("curl", ["--disable", "--silent", "--show-error", "--noproxy", "*", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            return new Curl(Process.Start(start)!);
        }
        catch (Win32Exception exception)
        {
            Assert.Fail($"curl cannot be run ({exception.Message}): {ClientScript.Install}.");
            throw;
        }
    }

    /// <summary>Runs it to its end, which must be a good one.</summary>
    public static async Task<string> RunAsync(params string[] arguments)
    {
        await using var curl = Start(arguments);
        return await curl.ReadToEndAsync();
    }

    /// <summary>The next line of its output.</summary>
    public async Task<string> ReadLineAsync()
    {
        string? line = await _process.StandardOutput.ReadLineAsync(Patience.Token);
        if (line is null)
        {
            Assert.Fail($"curl ended: {await _process.StandardError.ReadToEndAsync(Patience.Token)}");
        }

        return line;
    }

    /// <summary>Up to an empty line, and without it.</summary>
    public async Task<string[]> ReadBlockAsync()
    {
        var lines = new List<string>();
        while (await ReadLineAsync() is { Length: > 0 } line)
        {
            lines.Add(line);
        }

        return [.. lines];
    }

    /// <summary>What is left of its output, at its end, which must be a good one.</summary>
    public async Task<string> ReadToEndAsync()
    {
        var error = _process.StandardError.ReadToEndAsync(Patience.Token);
        string output = await _process.StandardOutput.ReadToEndAsync(Patience.Token);
        await _process.WaitForExitAsync(Patience.Token);
        Assert.True(_process.ExitCode == 0, $"curl ended with {_process.ExitCode}: {await error}");
        return output;
    }

    public ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
        return ValueTask.CompletedTask;
    }
}
