using System.Text;
using System.Text.Unicode;
using Microsoft.Extensions.Options;
using RawPush.Fanout.Presence;
using RawPush.Server.Hosting;
using RawPush.Server.Requests;

namespace RawPush.Server.Connections;

/// <summary>Whose request it is. A trusted proxy says so in a field of its own; what others write there is ignored. Safe for threads.</summary>
internal sealed class UserIdentity(TrustedProxies proxies, IOptions<RawPushOptions> options)
{
    private static readonly Refusal BadName = new(400, $"the user's name must come once, and be 1 to {UserList.NameBytesMax} bytes of UTF-8 without control characters");

    /// <summary>The field's name; null if nobody is believed.</summary>
    public byte[]? Field { get; } = options.Value.UserField is { Length: > 0 } field ? Encoding.ASCII.GetBytes(field) : null;

    /// <summary>Finds out who sent a request.</summary>
    /// <param name="transport">What it came by. Asked who its peer is only where there is a name to be believed.</param>
    /// <param name="request">All of its head.</param>
    /// <param name="user">Null: nobody in particular.</param>
    /// <returns>Null, or why it cannot be told.</returns>
    public Refusal? TryIdentify(ClientTransport transport, PushRequest request, out string? user)
    {
        user = null;
        if (request.User.IsEmpty || !proxies.Trusts(transport.FindPeer()))
        {
            return null;
        }

        user = request.HasOneUser && Utf8.IsValid(request.User) ? Encoding.UTF8.GetString(request.User) : string.Empty;
        return UserList.IsName(user) ? null : BadName;
    }
}
