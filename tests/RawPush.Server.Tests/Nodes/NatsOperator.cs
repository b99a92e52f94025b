using System.Buffers.Text;
using System.Text;
using NATS.NKeys;
using RawPush.TestKit.Nats;

namespace RawPush.Server.Tests.Nodes;

/// <summary>An operator with an account with a user, as <c>nsc</c> would make them: JWTs that sign each other, and the user's credentials.</summary>
internal sealed class NatsOperator : IDisposable
{
    private const string Limits = "\"subs\":-1,\"data\":-1,\"payload\":-1";

    private readonly KeyPair _operator = KeyPair.CreatePair(PrefixByte.Operator);
    private readonly KeyPair _account = KeyPair.CreatePair(PrefixByte.Account);
    private readonly KeyPair _user = KeyPair.CreatePair(PrefixByte.User);

    public NatsOperator()
    {
        string account = Sign(_operator, _account, $"\"type\":\"account\",\"limits\":{{{Limits},\"imports\":-1,\"exports\":-1,\"wildcards\":true,\"conn\":-1,\"leaf\":-1}}");
        Server = new NatsServerOptions
        {
            More = $"operator: {Sign(_operator, _operator, "\"type\":\"operator\"")}\nresolver: MEMORY\nresolver_preload: {{ {_account.GetPublicKey()}: {account} }}",
        };
        CredentialsFile = Path.GetTempFileName();
        File.WriteAllText(
            CredentialsFile,
            $"""
            -----BEGIN NATS USER JWT-----
            {Sign(_account, _user, $"\"type\":\"user\",\"pub\":{{}},\"sub\":{{}},{Limits}")}
            ------END NATS USER JWT------

            -----BEGIN USER NKEY SEED-----
            {_user.GetSeed()}
            ------END USER NKEY SEED------

            """);
    }

    /// <summary>A server that lets in those alone whom the operator's accounts know.</summary>
    public NatsServerOptions Server { get; }

    public string CredentialsFile { get; }

    public void Dispose()
    {
        File.Delete(CredentialsFile);
        _user.Dispose();
        _account.Dispose();
        _operator.Dispose();
    }

    private static string Sign(KeyPair issuer, KeyPair subject, string claims)
    {
        string body = $"{{\"jti\":\"test\",\"iat\":{DateTimeOffset.UtcNow.ToUnixTimeSeconds()},\"iss\":\"{issuer.GetPublicKey()}\",\"name\":\"test\","
            + $"\"sub\":\"{subject.GetPublicKey()}\",\"nats\":{{{claims},\"version\":2}}}}";
        string signed = $"{Encode("{\"typ\":\"JWT\",\"alg\":\"ed25519-nkey\"}")}.{Encode(body)}";
        byte[] signature = new byte[64];
        issuer.Sign(Encoding.ASCII.GetBytes(signed), signature);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Encode(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
}
