using RawPush.Server.Http;
using RawPush.Server.Requests;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Adds the push server's routes to an ASP.NET Core application.</summary>
public static class RawPushEndpointExtensions
{
    /// <summary>Maps publishing (<c>POST /channels/{name}</c>), and subscriptions that reach Kestrel's HTTP server: on a kept-alive connection, or over HTTP/2.</summary>
    public static IEndpointRouteBuilder MapRawPush(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var publish = ActivatorUtilities.CreateInstance<PublishEndpoint>(endpoints.ServiceProvider);
        var subscribe = ActivatorUtilities.CreateInstance<SubscribeEndpoint>(endpoints.ServiceProvider);
        endpoints.Map(PushRoutes.ChannelsPrefix + "{**channels}", context =>
            HttpMethods.IsPost(context.Request.Method) ? publish.InvokeAsync(context) : subscribe.InvokeAsync(context));
        foreach (string path in endpoints.ServiceProvider.GetRequiredService<PushRoutes>().HandlerPaths)
        {
            endpoints.Map(path, subscribe.InvokeAsync);
        }

        return endpoints;
    }
}
