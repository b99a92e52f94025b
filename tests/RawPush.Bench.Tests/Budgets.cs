using System.Text.Json;

namespace RawPush.Bench.Tests;

/// <summary>The promises of <c>bench/budgets.json</c>, in bytes.</summary>
internal static class Budgets
{
    public static IReadOnlyDictionary<string, long> All { get; } =
        JsonSerializer.Deserialize<Dictionary<string, long>>(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "budgets.json")))!;
}
