using RawPush.Fuzz.Targets;

namespace RawPush.Fuzz;

/// <summary>All of them.</summary>
internal static class FuzzTargets
{
    public static IReadOnlyList<IFuzzTarget> All { get; } =
    [
        new HeadTarget(), new FramesTarget(), new DeflateTarget(), new Utf8Target(), new SseTarget(), new PublishTarget(), new ProxyTarget(),
    ];

    public static IFuzzTarget Find(string name) =>
        All.FirstOrDefault(target => target.Name == name) ?? throw new ArgumentException($"There is no target '{name}'.", nameof(name));
}
