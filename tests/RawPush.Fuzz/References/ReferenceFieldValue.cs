using System.Text.RegularExpressions;

namespace RawPush.Fuzz.References;

/// <summary>Lists, parameters and targets (RFC 9110, sections 5.6 and 12.5.1; RFC 9112, section 3.2), from strings.</summary>
internal static partial class ReferenceFieldValue
{
    public static bool ContainsToken(string list, string token) =>
        Split(list, ',').Any(element => element.Equals(token, StringComparison.OrdinalIgnoreCase));

    public static bool AcceptsMediaType(string accept, string mediaType) => Split(accept, ',').Any(range =>
    {
        var parts = Split(range, ';');
        string? weight = parts.Skip(1).FirstOrDefault(part => part.StartsWith("q=", StringComparison.OrdinalIgnoreCase));
        return parts[0].Equals(mediaType, StringComparison.OrdinalIgnoreCase) && (weight is null || PositiveWeight().IsMatch(weight[2..]));
    });

    /// <summary>Authority, path and query of a target; null when it is of no form that is taken.</summary>
    public static (string Authority, string Path, string Query)? SplitTarget(string target)
    {
        var match = Target().Match(target);
        string path = match.Groups["path"].Value;
        bool isTarget = match.Success && (!match.Groups["authority"].Success || ReferenceHead.IsHost(match.Groups["authority"].Value));
        return isTarget ? (match.Groups["authority"].Value, path.Length == 0 ? "/" : path, match.Groups["query"].Value) : null;
    }

    /// <summary>Cuts at each separator that is not within a quoted string, one without its end included, and trims.</summary>
    private static List<string> Split(string text, char separator)
    {
        var parts = new List<string>();
        int start = 0;
        bool isQuoted = false;
        for (int i = 0; i < text.Length; i++)
        {
            if (isQuoted && text[i] == '\\')
            {
                i++;
            }
            else if (text[i] == '"')
            {
                isQuoted = !isQuoted;
            }
            else if (!isQuoted && text[i] == separator)
            {
                parts.Add(text[start..i].Trim(' ', '\t'));
                start = i + 1;
            }
        }

        parts.Add(text[start..].Trim(' ', '\t'));
        return parts;
    }

    [GeneratedRegex(@"^(?:1(?:\.0{0,3})?|0\.(?=0*[1-9])[0-9]{1,3})\z")]
    private static partial Regex PositiveWeight();

    [GeneratedRegex(@"^(?:[hH][tT][tT][pP][sS]?://(?<authority>[^/?]*)|(?=/))(?<path>[^?#]*)(?:\?(?<query>[^#]*))?\z")]
    private static partial Regex Target();
}
