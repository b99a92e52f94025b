using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace RawPush.Conformance.Tests.Proxies;

/// <summary>The proxies that are recommended.</summary>
public enum ProxyKind
{
    Nginx,
    HAProxy,
}

/// <summary>What stands in <c>docs/proxies.md</c>, made to run beside other things on this machine.</summary>
internal static class ProxyConfiguration
{
    public const string CertificateSubject = "CN=localhost";

    // What a test needs around it: no daemon, everything that is written in its folder, and the log where the test reads it.
    private const string NginxFrame =
        """
        daemon off;
        user root;
        worker_processes 1;
        pid nginx.pid;
        error_log stderr notice;
        events {}
        http {
            access_log off;
            client_body_temp_path body;
            proxy_temp_path proxy;
            fastcgi_temp_path fastcgi;
            uwsgi_temp_path uwsgi;
            scgi_temp_path scgi;

        """;

    private const string HAProxyFrame =
        """
        global
            log stdout format raw daemon
            maxconn 1000

        """;

    private static readonly Lazy<string> Document = new(() => File.ReadAllText(Path.Combine(FindRoot(), "docs", "proxies.md")));

    /// <summary>The document's configuration, with a server, ports and a certificate of the test's.</summary>
    public static string Create(ProxyKind kind, Uri server, int plainPort, int tlsPort, string certificate)
    {
        string block = BlockOf(kind == ProxyKind.Nginx ? "nginx" : "haproxy").With("127.0.0.1:8080", server.Authority).With("/etc/ssl/push.pem", certificate);
        return kind == ProxyKind.Nginx
            ? NginxFrame + block.With("listen 80;", $"listen 127.0.0.1:{plainPort};").With("listen 443 ", $"listen 127.0.0.1:{tlsPort} ") + "}\n"
            : HAProxyFrame + block.With("bind :80\n", $"bind 127.0.0.1:{plainPort}\n").With("bind :443 ", $"bind 127.0.0.1:{tlsPort} ")
                .With("mode http\n", "mode http\n    log global\n    option httplog\n");
    }

    /// <summary>Another text in the place of one that must be there.</summary>
    public static string With(this string configuration, string old, string replacement)
    {
        Assert.Contains(old, configuration, StringComparison.Ordinal);
        return configuration.Replace(old, replacement, StringComparison.Ordinal);
    }

    /// <summary>A certificate for localhost and its key, as both proxies take them.</summary>
    public static string CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest(CertificateSubject, key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n";
    }

    private static string BlockOf(string language)
    {
        string[] parts = Document.Value.Split($"```{language}\n");
        Assert.True(parts.Length == 2, $"docs/proxies.md must have one block of {language}.");
        return parts[1][..parts[1].IndexOf("```", StringComparison.Ordinal)];
    }

    private static string FindRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "RawPush.sln")))
            {
                return directory.FullName;
            }
        }

        Assert.Fail("The tests were not run from within the repository.");
        return string.Empty;
    }
}
