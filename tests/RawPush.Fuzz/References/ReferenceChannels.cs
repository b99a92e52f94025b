using System.Text;
using System.Text.RegularExpressions;

namespace RawPush.Fuzz.References;

/// <summary>Channel names and patterns, by their definition and not by looking for faults.</summary>
internal static partial class ReferenceChannels
{
    /// <summary>Null when a percent sign is not followed by two hexadecimal digits.</summary>
    public static byte[]? Decode(byte[] encoded)
    {
        string text = Encoding.Latin1.GetString(encoded);
        return BrokenEscape().IsMatch(text) ? null : Encoding.Latin1.GetBytes(Escape().Replace(text, match => ((char)Convert.ToByte(match.Value[1..], 16)).ToString()));
    }

    public static bool IsName(string text) =>
        Encoding.UTF8.GetByteCount(text) <= 255 && text.Split('.').All(IsToken) && text.Split('.')[0] != "rawpush";

    // A wildcard is a token like any other, and > is the last one.
    public static bool IsFilter(string text)
    {
        string[] tokens = text.Split('.');
        return Encoding.UTF8.GetByteCount(text) <= 255
            && tokens.All(token => token is "*" or ">" || IsToken(token))
            && !tokens.SkipLast(1).Contains(">")
            && tokens[0] != "rawpush";
    }

    /// <summary>Whether every name that <paramref name="other"/> stands for is one that <paramref name="filter"/> stands for.</summary>
    /// <remarks>Tried on names whose free tokens occur in no filter, and for > as many of them as could make a difference.</remarks>
    public static bool Covers(string filter, string other)
    {
        string[] mine = filter.Split('.');
        string[] theirs = other.Split('.');
        string free = "free";
        while (filter.Contains(free, StringComparison.Ordinal))
        {
            free += "r";
        }

        string[] sample = [.. theirs.Select(token => token == "*" ? free : token)];
        return theirs[^1] == ">"
            ? Enumerable.Range(1, mine.Length + 1).All(count => Matches(mine, [.. sample[..^1], .. Enumerable.Repeat(free, count)]))
            : Matches(mine, sample);
    }

    private static bool Matches(ReadOnlySpan<string> filter, ReadOnlySpan<string> name)
    {
        if (filter.IsEmpty || name.IsEmpty)
        {
            return filter.IsEmpty && name.IsEmpty;
        }

        return filter[0] == ">" || ((filter[0] == "*" || filter[0] == name[0]) && Matches(filter[1..], name[1..]));
    }

    private static bool IsToken(string token) =>
        token.Length > 0 && token.All(c => !"*>,/?#%\"\\\uFFFD".Contains(c, StringComparison.Ordinal) && !char.IsControl(c) && !char.IsWhiteSpace(c));

    [GeneratedRegex("%(?![0-9A-Fa-f]{2})")]
    private static partial Regex BrokenEscape();

    [GeneratedRegex("%[0-9A-Fa-f]{2}")]
    private static partial Regex Escape();
}
