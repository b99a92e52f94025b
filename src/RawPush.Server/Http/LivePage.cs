using RawPush.Server.Requests;

namespace RawPush.Server.Http;

/// <summary>The live page: type a message, see it arrive over every transport. Served on listeners that may publish, since the page does.</summary>
public static class LivePage
{
    private const string Resource = "RawPush.Server.Http.live.html";

    /// <summary>Maps the page to <c>/</c>.</summary>
    public static IEndpointRouteBuilder MapLivePage(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        byte[] page = Load();
        endpoints.MapGet("/", context => context.MayPublish() ? SendAsync(context, page) : context.RefuseAsync(Refusal.NotFound));
        endpoints.MapFallback("{**path}", context => context.RefuseAsync(Refusal.NotFound));
        return endpoints;
    }

    private static Task SendAsync(HttpContext context, byte[] page)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.ContentLength = page.Length;
        return context.Response.Body.WriteAsync(page, 0, page.Length);
    }

    private static byte[] Load()
    {
        using var stream = typeof(LivePage).Assembly.GetManifestResourceStream(Resource)!;
        byte[] page = new byte[stream.Length];
        stream.ReadExactly(page);
        return page;
    }
}
