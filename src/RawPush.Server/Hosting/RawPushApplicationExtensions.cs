using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using RawPush.Server.Hosting;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Runs an application that has the push server in it.</summary>
public static class RawPushApplicationExtensions
{
    private const string BinderSource = "Microsoft.Extensions.Configuration.Binder";

    /// <summary>Runs until it is told to stop. What keeps it from starting – a wrong setting, a port in use – is one line on standard error.</summary>
    /// <returns>The exit code: 0, or 1 if it could not start.</returns>
    public static async Task<int> RunRawPushAsync(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        await using (app)
        {
            try
            {
                // Before the host, which would log the same mistake with a stack trace.
                _ = app.Services.GetRequiredService<IOptions<RawPushOptions>>().Value;
                await app.StartAsync();
            }
            catch (Exception exception) when (FindMistake(exception) is { } mistake)
            {
                await Console.Error.WriteLineAsync($"rawpush: {mistake}");
                return 1;
            }

            await app.WaitForShutdownAsync();
            return 0;
        }
    }

    /// <summary>What the operator did wrong; null if it was not the operator.</summary>
    private static string? FindMistake(Exception exception) => exception switch
    {
        OptionsValidationException invalid => string.Join("; ", invalid.Failures),

        // The binder's, for a setting that does not exist – it speaks of its own options, to us –, or a value that is not of its setting's type.
        InvalidOperationException { Source: BinderSource or "RawPush.Server" } unknown when unknown.Message.Contains("ErrorOnUnknownConfiguration", StringComparison.Ordinal) =>
            $"section {RawPushOptions.SectionName} has no setting{unknown.Message[(unknown.Message.LastIndexOf(':') + 1)..]}",
        InvalidOperationException { Source: BinderSource or "RawPush.Server" } unreadable => unreadable.Message,
        IOException { InnerException: AddressInUseException } inUse => inUse.Message,
        System.Net.Sockets.SocketException refused =>
            $"cannot listen on {RawPushOptions.SectionName}:{nameof(RawPushOptions.Public)} or {nameof(RawPushOptions.Internal)}: {refused.Message}",
        _ => null,
    };
}
