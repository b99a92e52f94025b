using System.Text;
using RawPush.Protocol.Http;

namespace RawPush.Protocol.Tests.Http;

public sealed class RequestTargetTests
{
    [Theory]
    [InlineData("/", "", "/", "")]
    [InlineData("/a/b", "", "/a/b", "")]
    [InlineData("/a?", "", "/a", "")]
    [InlineData("/a?b=c&d", "", "/a", "b=c&d")]
    [InlineData("/a?b?c", "", "/a", "b?c")]
    [InlineData("//a/b", "", "//a/b", "")]
    [InlineData("/%2F%zz", "", "/%2F%zz", "")]
    [InlineData("http://h", "h", "/", "")]
    [InlineData("http://h/", "h", "/", "")]
    [InlineData("http://h?b", "h", "/", "b")]
    [InlineData("HTTPS://h:8443/a?b", "h:8443", "/a", "b")]
    [InlineData("hTTp://[::1]:80/a", "[::1]:80", "/a", "")]
    [InlineData("http://h/http://i", "h", "/http://i", "")]
    public void Both_forms_a_server_is_sent_are_taken_apart(string target, string authority, string path, string query)
    {
        Assert.True(RequestTarget.TryParse(Encoding.Latin1.GetBytes(target), out RequestTarget result));
        Assert.Equal(authority, Encoding.Latin1.GetString(result.Authority));
        Assert.Equal(path, Encoding.Latin1.GetString(result.Path));
        Assert.Equal(query, Encoding.Latin1.GetString(result.Query));
    }

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("a")]
    [InlineData("a/b")]
    [InlineData("?a")]
    [InlineData("example.com:443")]
    [InlineData("http:/a")]
    [InlineData("http://")]
    [InlineData("http:///a")]
    [InlineData("http://:80/a")]
    [InlineData("http://u@h/a")]
    [InlineData("http://u:p@h/a")]
    [InlineData("http://h:x/a")]
    [InlineData("http://a,b/")]
    [InlineData("ftp://h/a")]
    [InlineData("ws://h/a")]
    [InlineData("httpx://h/a")]
    [InlineData("/a#b")]
    [InlineData("/a?b#c")]
    [InlineData("http://h#a")]
    [InlineData("/a b")]
    [InlineData("/\u00e9")]
    [InlineData("/\0")]
    public void Everything_else_is_refused(string target)
    {
        Assert.False(RequestTarget.TryParse(Encoding.Latin1.GetBytes(target), out RequestTarget result));
        Assert.True(result.Path.IsEmpty);
    }
}
