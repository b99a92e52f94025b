namespace RawPush.Server.Hosting;

/// <summary>The field in which proxies say whom they forward for.</summary>
public enum ForwardedField
{
    /// <summary><c>X-Forwarded-For</c>, as nginx and HAProxy write it.</summary>
    XForwardedFor,

    /// <summary><c>Forwarded</c> (RFC 7239).</summary>
    Forwarded,
}
