using System.Globalization;
using System.Text;

namespace RawPush.TestKit.Nats;

/// <summary>Where one server stands: what a configuration needs beside the options.</summary>
internal sealed record NatsPlace(string Name, string Folder, int Port, int MonitorPort, NatsCertificates? Certificates, string Cluster);

/// <summary>Writes a configuration of nats-server.</summary>
internal static class NatsConfiguration
{
    public static string Create(NatsServerOptions options, NatsPlace place)
    {
        var text = new StringBuilder();
        Line($"host: \"127.0.0.1\"");
        Line($"port: {place.Port}");
        Line($"http: \"127.0.0.1:{place.MonitorPort}\"");
        Line($"server_name: {Quote(place.Name)}");
        if (options.PayloadBytesMax is { } payloadBytesMax)
        {
            Line($"max_payload: {payloadBytesMax}");
        }

        if (options.JetStream)
        {
            Line($"jetstream {{ store_dir: {Quote(Path.Combine(place.Folder, "store"))} }}");
        }

        if (options.Token is not null)
        {
            Line($"authorization {{ token: {Quote(options.Token)} }}");
        }

        if (Users(options) is { Count: > 0 } users)
        {
            Line($"authorization {{ users: [{string.Join(", ", users)}] }}");
        }

        if (place.Certificates is { } files)
        {
            string verify = options.Tls == NatsTls.Mutual ? "true" : "false";
            Line($"tls {{ cert_file: {Quote(files.ServerFile)}, key_file: {Quote(files.ServerKeyFile)}, ca_file: {Quote(files.AuthorityFile)}, verify: {verify} }}");
        }

        text.AppendLine(place.Cluster).AppendLine(options.More);
        return text.ToString();

        void Line(FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
    }

    /// <param name="listen">The port that other members reach by way of a relay.</param>
    /// <param name="nowhere">A port that refuses. Members tell each other where a third one is, and would go there past the relays.</param>
    /// <param name="relays">Leads to the other members.</param>
    public static string CreateCluster(int listen, int nowhere, IEnumerable<int> relays)
    {
        string routes = string.Join(", ", relays.Select(port => $"\"nats-route://127.0.0.1:{port}\""));
        return $"cluster {{ name: test, listen: \"127.0.0.1:{listen}\", advertise: \"127.0.0.1:{nowhere}\", routes: [{routes}] }}";
    }

    private static List<string> Users(NatsServerOptions options)
    {
        var users = options.UserKeys.Select(key => $"{{ nkey: {Quote(key)} }}").ToList();
        if (options.User is not null)
        {
            users.Add($"{{ user: {Quote(options.User)}, password: {Quote(options.Password ?? string.Empty)} }}");
        }

        return users;
    }

    private static string Quote(string value) =>
        $"\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
