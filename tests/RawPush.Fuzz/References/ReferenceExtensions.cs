using System.Text.RegularExpressions;

namespace RawPush.Fuzz.References;

/// <summary>The offers of a Sec-WebSocket-Extensions list (RFC 6455, section 9.1) and the one that is taken (RFC 7692, section 7.1), with the grammar as an expression.</summary>
/// <remarks>As documented, a backslash in a quoted value is not undone, and such a value is none of those that are known.</remarks>
internal static partial class ReferenceExtensions
{
    private const string Token = "[-!#$%&'*+.^_`|~0-9A-Za-z]+";
    private const string Quoted = @"""(?:" + Token + @"|(?=[^""]*\\)(?:[^""\\]|\\.)+)""";
    private const string Parameter = @";[\t ]*(?<name>" + Token + @")[\t ]*(?<value>=[\t ]*(?:" + Token + "|" + Quoted + @")[\t ]*)?";
    private const string Extension = "(?<extension>" + Token + @")[\t ]*(?<parameters>(?:" + Parameter + ")*)";

    /// <summary>The answer; empty when no offer is acceptable, null when the list is malformed.</summary>
    public static string? Choose(string list)
    {
        var match = ListPattern().Match(list);
        if (!match.Success)
        {
            return null;
        }

        var names = match.Groups["extension"].Captures;
        var parameters = match.Groups["parameters"].Captures;
        return names.Zip(parameters, (name, said) => Answer(name.Value, said.Value)).FirstOrDefault(answer => answer.Length > 0, "");
    }

    private static string Answer(string extension, string parameters)
    {
        string[] said = [.. ParameterPattern().Matches(parameters).Select(match => match.Groups["name"].Value + Ornament().Replace(match.Groups["value"].Value, ""))];
        bool isAcceptable = extension.Equals("permessage-deflate", StringComparison.OrdinalIgnoreCase)
            && said.All(KnownParameter().IsMatch)
            && said.DistinctBy(parameter => parameter.Split('=')[0]).Count() == said.Length;
        bool saysWindow = said.Any(parameter => parameter.StartsWith("server_max_window_bits", StringComparison.Ordinal));
        return isAcceptable
            ? "permessage-deflate; server_no_context_takeover; client_no_context_takeover" + (saysWindow ? "; server_max_window_bits=12" : "")
            : "";
    }

    [GeneratedRegex(@"^[\t ]*(?:" + Extension + @")?(?:,[\t ]*(?:" + Extension + @")?)*\z", RegexOptions.Singleline)]
    private static partial Regex ListPattern();

    [GeneratedRegex(Parameter, RegexOptions.Singleline)]
    private static partial Regex ParameterPattern();

    [GeneratedRegex("[\"\t ]")]
    private static partial Regex Ornament();

    // A window shorter than 12 bits would need a form of its own.
    [GeneratedRegex(@"^(?:(?:server|client)_no_context_takeover|server_max_window_bits=1[2-5]|client_max_window_bits(?:=(?:[89]|1[0-5]))?)\z")]
    private static partial Regex KnownParameter();
}
