using RawPush.Server.Health;
using RawPush.Server.Http;
using RawPush.Server.Messages;
using RawPush.Server.Requests;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Adds the push server's routes to an ASP.NET Core application.</summary>
public static class RawPushEndpointExtensions
{
    /// <summary>Maps publishing (<c>POST /channels/{name}</c>), queries (<c>GET /channels</c>, <c>GET /channels/{name}/presence</c>), and subscriptions that reach Kestrel's HTTP server: on a kept-alive connection, or over HTTP/2.</summary>
    public static IEndpointRouteBuilder MapRawPush(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);

        // Looked up at the request and not here: to make them reads the settings, and a wrong one is for the start to report.
        endpoints.Map(PushRoutes.ChannelsPrefix + "{**channels}", static context =>
            HttpMethods.IsPost(context.Request.Method) ? Endpoint<PublishEndpoint>(context).InvokeAsync(context) : Endpoint<SubscribeEndpoint>(context).InvokeAsync(context));
        endpoints.Map(PushRoutes.ChannelsPrefix + "{channel}" + PushRoutes.PresenceSuffix, static context => Endpoint<PresenceEndpoint>(context).InvokeAsync(context));
        endpoints.Map(PushRoutes.ChannelsPath, static context => IsAboutAll(context) switch
        {
            _ when HttpMethods.IsPost(context.Request.Method) => Endpoint<PublishEndpoint>(context).InvokeAsync(context),
            true => Endpoint<ChannelsEndpoint>(context).InvokeAsync(context),
            false => Endpoint<SubscribeEndpoint>(context).InvokeAsync(context),
        });
        foreach (var route in endpoints.ServiceProvider.GetServices<ClientMessageRoute>())
        {
            if (route.Path is not null)
            {
                endpoints.Map(route.Path, static context => Endpoint<SubscribeEndpoint>(context).InvokeAsync(context));
            }
        }

        return endpoints;
    }

    /// <summary>Maps <c>/health/live</c>, which asks the health checks with the tag <c>live</c>, and <c>/health/ready</c>, which asks all: the application's own join in. Served on listeners that may
    /// publish. An application that has such routes need not map ours: the push server's checks are among those that its routes ask.</summary>
    public static IEndpointRouteBuilder MapRawPushHealth(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        string[] methods = [HttpMethods.Get, HttpMethods.Head];
        endpoints.MapMethods("/health/live", methods, HealthEndpoint.AnswerLiveAsync);
        endpoints.MapMethods("/health/ready", methods, HealthEndpoint.AnswerReadyAsync);
        return endpoints;
    }

    // Routing takes /channels/ for the same, and it is not: a subscription that has forgotten its channel.
    private static bool IsAboutAll(HttpContext context) =>
        (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)) && context.Request.Path == PushRoutes.ChannelsPath;

    private static TEndpoint Endpoint<TEndpoint>(HttpContext context)
        where TEndpoint : notnull => context.RequestServices.GetRequiredService<TEndpoint>();
}
