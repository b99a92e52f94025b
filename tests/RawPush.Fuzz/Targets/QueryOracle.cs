using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.RegularExpressions;
using RawPush.Fanout.Channels;
using RawPush.Server.Requests;

namespace RawPush.Fuzz.Targets;

/// <summary><see cref="PushQuery"/> understands of a query what docs/http-api.md says of it, read with a split and expressions.</summary>
/// <remarks>Input: the query.</remarks>
internal static partial class QueryOracle
{
    public static void Run(byte[] query)
    {
        string expected = Read(Encoding.Latin1.GetString(query));
        var actual = PushQuery.TryRead(query, out string error);
        Oracle.Same(expected, actual is null ? "refused" : Describe(actual.IsJson, actual.Start, actual.WaitSeconds, actual.Limit), "the query");
        Oracle.Holds(actual is not null || error.Length > 0, "a query was refused without a reason");
    }

    private static string Read(string query)
    {
        bool? isJson = null;
        StartPoint? start = null;
        int wait = 0;
        int limit = 100;
        foreach (string pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = pair.Split('=', 2);
            string value = parts.Length == 2 ? parts[1] : "";
            bool isRight = parts[0] switch
            {
                "format" => (isJson = value == "json" ? true : value == "raw" ? false : null) is not null,
                "after" => (start = ReadStart(value)) is not null,
                "last" => (start = ReadNumber(value, 1, 1000) is { } count ? StartPoint.Last(count) : null) is not null,
                "wait" => (wait = ReadNumber(value, 0, 300) ?? -1) >= 0,
                "limit" => (limit = ReadNumber(value, 1, 1000) ?? -1) >= 0,
                _ => true,
            };
            if (!isRight)
            {
                return "refused";
            }
        }

        return Describe(isJson, start, wait, limit);
    }

    private static string Describe(bool? isJson, StartPoint? start, int wait, int limit) => $"json {isJson} start {start} wait {wait} limit {limit}";

    private static StartPoint? ReadStart(string value) => value switch
    {
        "earliest" => StartPoint.Earliest,
        "latest" => StartPoint.Latest,
        _ => ReadId(value) is { } id ? StartPoint.After(id) : null,
    };

    private static MessageId? ReadId(string value)
    {
        var match = Id().Match(value);
        if (!match.Success || value.Length > MessageId.LengthMax)
        {
            return null;
        }

        var sequence = BigInteger.Parse(match.Groups["sequence"].Value, CultureInfo.InvariantCulture);
        ulong epoch = Convert.ToUInt64(match.Groups["epoch"].Value, 16);
        return sequence <= long.MaxValue ? new MessageId(epoch, (long)sequence) : null;
    }

    // Zeros in front are put up with.
    private static int? ReadNumber(string value, int min, int max) =>
        Number().IsMatch(value) && BigInteger.Parse(value, NumberStyles.None, CultureInfo.InvariantCulture) is var number && number >= min && number <= max
            ? (int)number
            : null;

    [GeneratedRegex(@"^(?<epoch>[0-9A-Fa-f]{1,16})-(?<sequence>[0-9]+)\z")]
    private static partial Regex Id();

    [GeneratedRegex(@"^[0-9]+\z")]
    private static partial Regex Number();
}
