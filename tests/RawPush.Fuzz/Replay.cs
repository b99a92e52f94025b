namespace RawPush.Fuzz;

/// <summary>Gives files to the targets, without a fuzzer, and counts.</summary>
internal static class Replay
{
    /// <summary>Each target's folder below <paramref name="corpus"/>. A target without a file counts as failed.</summary>
    public static int Corpus(string corpus)
    {
        int passed = 0;
        int failed = 0;
        foreach (var target in FuzzTargets.All)
        {
            string folder = Path.Combine(corpus, target.Name);
            string[] files = Directory.Exists(folder) ? Directory.GetFiles(folder) : [];
            int failures = files.Length == 0 ? 1 : files.Count(file => !Passes(target, file));
            Console.WriteLine($"{target.Name}: {files.Length} files, {failures} failed");
            passed += Math.Max(files.Length - failures, 0);
            failed += failures;
        }

        Console.WriteLine($"{passed} passed, {failed} failed");
        return failed == 0 ? 0 : 1;
    }

    public static int Files(IFuzzTarget target, string[] files)
    {
        int failed = files.Count(file => !Passes(target, file));
        Console.WriteLine($"{files.Length - failed} passed, {failed} failed");
        return failed == 0 ? 0 : 1;
    }

    private static bool Passes(IFuzzTarget target, string file)
    {
        try
        {
            target.Run(File.ReadAllBytes(file));
            return true;
        }
        catch (Exception finding)
        {
            Console.WriteLine($"{target.Name} fails on {file}\n{Printable(finding.ToString())}");
            return false;
        }
    }

    // What was found is made of the input, which may hold anything that confuses a terminal.
    private static string Printable(string text) =>
        string.Concat(text.Select(c => char.IsControl(c) && c != '\n' ? $"\\x{(int)c:x2}" : c.ToString()));
}
