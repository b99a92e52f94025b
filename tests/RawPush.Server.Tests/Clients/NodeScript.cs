namespace RawPush.Server.Tests.Clients;

/// <summary>Scripts that run in node.</summary>
internal static class NodeScript
{
    public static ClientScript Start(string script, params string[] arguments)
    {
        string marker = Path.Combine(ClientScript.Folder, "node_modules", ".package-lock.json");
        Assert.True(File.Exists(marker), $"tests/clients/node_modules is missing: {ClientScript.Install}.");
        return ClientScript.Start("node", script, arguments);
    }

    /// <summary>As <see cref="Start"/>, for a script that drives a browser.</summary>
    public static ClientScript StartBrowser(string script, params string[] arguments)
    {
        Assert.True(File.Exists("/usr/bin/chromium"), $"/usr/bin/chromium is missing: {ClientScript.Install}.");
        return Start(script, arguments);
    }
}
