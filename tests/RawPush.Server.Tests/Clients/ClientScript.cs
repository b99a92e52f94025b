using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Clients;

/// <summary>A script of <c>tests/clients</c>, running. It says what it sees as one JSON object per line, and takes commands, one per line.</summary>
internal sealed class ClientScript : IAsyncDisposable
{
    public const string Install = "run tests/clients/install.sh, which installs what the client tests need";

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _complaints = new();

    private ClientScript(Process process)
    {
        _process = process;
        _process.ErrorDataReceived += (_, line) => _complaints.Enqueue(line.Data ?? string.Empty);
        _process.BeginErrorReadLine();
    }

    /// <summary>The folder of the scripts.</summary>
    public static string Folder { get; } = FindFolder();

    /// <summary>Starts one in its interpreter.</summary>
    public static ClientScript Start(string interpreter, string script, string[] arguments)
    {
        var start = new ProcessStartInfo(interpreter, [script, .. arguments])
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            return new ClientScript(Process.Start(start)!);
        }
        catch (Win32Exception exception)
        {
            Assert.Fail($"{interpreter} cannot be run ({exception.Message}): {Install}.");
            throw;
        }
    }

    /// <summary>The next line, which must be of this kind.</summary>
    /// <param name="kind">The value of the object's first property: what happened, or how far the script has come.</param>
    public async Task<JsonElement> ReadAsync(string kind)
    {
        var line = await ReadAnyAsync(kind);
        Assert.True(line.EnumerateObject().First().Value.GetString() == kind, $"'{kind}' was to come, and this came: {line}");
        return line;
    }

    /// <summary>The next line, of whatever kind.</summary>
    /// <param name="awaited">What should come, for the complaint that nothing does.</param>
    public async Task<JsonElement> ReadAnyAsync(string awaited = "something")
    {
        string? line = await _process.StandardOutput.ReadLineAsync(Patience.Token);
        if (line is null)
        {
            await _process.WaitForExitAsync(Patience.Token);
            Assert.Fail($"The script ended with {_process.ExitCode} before '{awaited}' came:\n{string.Join('\n', _complaints)}");
        }

        using var document = JsonDocument.Parse(line);
        return document.RootElement.Clone();
    }

    public Task SayAsync(string command) => _process.StandardInput.WriteLineAsync(command.AsMemory(), Patience.Token);

    /// <summary>Waits for the script's end: nothing more to say, and no fault.</summary>
    public async Task EndAsync()
    {
        Assert.Equal(string.Empty, await _process.StandardOutput.ReadToEndAsync(Patience.Token));
        await _process.WaitForExitAsync(Patience.Token);
        Assert.True(_process.ExitCode == 0, $"The script ended with {_process.ExitCode}:\n{string.Join('\n', _complaints)}");
    }

    public async ValueTask DisposeAsync()
    {
        // The end of its input is the end of a script, which then takes its browser along.
        _process.StandardInput.Close();
        try
        {
            await _process.WaitForExitAsync(Patience.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private static string FindFolder()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            string folder = Path.Combine(directory.FullName, "tests", "clients");
            if (File.Exists(Path.Combine(folder, "package.json")))
            {
                return folder;
            }
        }

        Assert.Fail("tests/clients is not above the folder that the tests run in.");
        return string.Empty;
    }
}
