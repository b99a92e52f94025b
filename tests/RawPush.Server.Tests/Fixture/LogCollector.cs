using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace RawPush.Server.Tests.Fixture;

/// <summary>One line that the host has logged.</summary>
internal sealed record LogLine(string Category, LogLevel Level, EventId EventId, string Message, Exception? Exception);

/// <summary>Keeps what a host logs.</summary>
internal sealed class LogCollector : ILoggerProvider
{
    private readonly ConcurrentQueue<LogLine> _lines = new();

    public IReadOnlyCollection<LogLine> Lines => _lines;

    /// <summary>What would be shown to whoever is on duty: our lines and ASP.NET Core's from Information on, but for the host's "Application started".</summary>
    public IEnumerable<LogLine> AboveDebug => _lines.Where(line => line.Level > LogLevel.Debug && line.Category != "Microsoft.Hosting.Lifetime");

    /// <summary>Of these our own. Kestrel says Error when a chunk of a body it drops announces more bytes than an integer holds.</summary>
    public IEnumerable<LogLine> OursAboveDebug => AboveDebug.Where(line => line.Category.StartsWith("RawPush.", StringComparison.Ordinal));

    public ILogger CreateLogger(string categoryName) => new Collector(this, categoryName);

    public void Dispose()
    {
    }

    private sealed class Collector(LogCollector owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            owner._lines.Enqueue(new LogLine(category, logLevel, eventId, formatter(state, exception), exception));
    }
}
