using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics.CodeAnalysis;

namespace RawPush.Server.Hosting;

/// <summary>The command line: two short options, and any setting by its full name.</summary>
public static class RawPushCommandLine
{
    /// <summary>Reads the arguments. Help, the version and mistakes are answered on the terminal.</summary>
    /// <param name="args">As <c>Main</c> got them.</param>
    /// <param name="settings">What to put on top of the configuration.</param>
    /// <param name="exitCode">What to end with when the answer is false: 0 after help, 1 after a mistake.</param>
    /// <returns>False: there is nothing to start.</returns>
    public static bool TryRead(string[] args, [NotNullWhen(true)] out IReadOnlyDictionary<string, string?>? settings, out int exitCode)
    {
        var publicListener = new Option<string>("--public") { Description = "Where clients connect. Default *:8080.", HelpName = "ADDR:PORT" };
        var internalListener = new Option<string>("--internal") { Description = "Where backends publish. Default 127.0.0.1:8081.", HelpName = "ADDR:PORT" };
        var nats = new Option<string>("--nats") { Description = "Share channels with other nodes over these NATS servers.", HelpName = "URL,URL" };
        var others = new Argument<string[]>("settings") { Description = "Any setting, as RawPush:PingInterval=00:00:30.", Arity = ArgumentArity.ZeroOrMore };
        others.Validators.Add(RefuseWhatIsNoSetting);
        var jetStream = new Option<bool>("--jetstream") { Description = "Let NATS keep every message, so that clients resume on any node." };
        var command = new RootCommand("RawPush: pushes messages to many clients over WebSocket, Server-Sent Events, JSON lines and polls.") { publicListener, internalListener, nats, jetStream, others };
        var result = command.Parse(args);
        settings = null;
        exitCode = 0;
        if (result.Action is not null || result.Errors.Count > 0)
        {
            exitCode = Answer(result);
            return false;
        }

        var read = result.GetValue(others)!.ToDictionary(KeyOf, setting => (string?)setting[(setting.IndexOf('=') + 1)..], StringComparer.OrdinalIgnoreCase);
        AddIfGiven(read, nameof(RawPushOptions.Public), result.GetValue(publicListener));
        AddIfGiven(read, nameof(RawPushOptions.Internal), result.GetValue(internalListener));
        AddIfGiven(read, $"{nameof(RawPushOptions.Nats)}:{nameof(RawPushOptions.Nats.Urls)}", result.GetValue(nats));
        AddIfGiven(read, $"{nameof(RawPushOptions.Nats)}:{nameof(RawPushOptions.Nats.JetStream)}:{nameof(RawPushOptions.Nats.JetStream.Use)}", result.GetValue(jetStream) ? bool.TrueString : null);
        settings = read;
        return true;
    }

    private static int Answer(ParseResult result)
    {
        if (result.Errors.Count == 0)
        {
            return result.Invoke();
        }

        Console.Error.WriteLine($"rawpush: {result.Errors[0].Message} (--help lists the options)");
        return 1;
    }

    private static void RefuseWhatIsNoSetting(ArgumentResult result)
    {
        var keys = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var token in result.Tokens)
        {
            if (token.Value.IndexOf('=') <= 0 || !KeyOf(token.Value).Contains(':'))
            {
                result.AddError($"'{token.Value}' is not an option, nor a setting as RawPush:PingInterval=00:00:30");
            }
            else if (!keys.Add(KeyOf(token.Value)))
            {
                result.AddError($"{KeyOf(token.Value)} is given twice");
            }
        }
    }

    // With or without dashes in front, as the usual .NET configuration takes it.
    private static string KeyOf(string setting) => setting[..setting.IndexOf('=')].TrimStart('-');

    private static void AddIfGiven(Dictionary<string, string?> settings, string name, string? value)
    {
        if (value is not null)
        {
            settings[$"{RawPushOptions.SectionName}:{name}"] = value;
        }
    }
}
