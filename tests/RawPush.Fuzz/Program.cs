using System.Diagnostics;
using RawPush.Fuzz;
using SharpFuzz;

// Asserts are oracles too: one that fails is a finding like any other, and not the end of the process.
Trace.Listeners.Clear();
Trace.Listeners.Add(new ThrowingListener());

switch (args)
{
    case ["afl", var name]:
        Fuzz(FuzzTargets.Find(name));
        return 0;
    case ["replay", var corpus]:
        return Replay.Corpus(corpus);
    case ["replay", var name, .. var files]:
        return Replay.Files(FuzzTargets.Find(name), files);
    default:
        Console.Error.WriteLine("RawPush.Fuzz afl TARGET | replay CORPUS | replay TARGET FILE...");
        Console.Error.WriteLine($"Targets: {string.Join(' ', FuzzTargets.All.Select(target => target.Name))}");
        return 2;
}

static void Fuzz(IFuzzTarget target)
{
    var input = new MemoryStream();
    Fuzzer.Run(stdin =>
    {
        input.SetLength(0);
        stdin.CopyTo(input);
        target.Run(input.ToArray());
    });
}
