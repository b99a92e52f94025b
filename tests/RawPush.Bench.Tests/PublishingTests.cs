using System.Text;
using System.Text.Json;
using RawPush.Swarm.Clients;
using RawPush.Swarm.Publishing;
using RawPush.Swarm.Resuming;
using RawPush.TestKit;

namespace RawPush.Bench.Tests;

/// <summary>What the load generator sends, and how it counts what is answered.</summary>
public sealed class PublishingTests
{
    private const string Lines = "{\"id\":\"0a-1\",\"subscribers\":1}\n{\"id\":\"0a-2\",\"subscribers\":0}\n";

    [Fact]
    public void Answers_to_batches_are_counted_by_their_lines_however_the_stream_is_cut()
    {
        byte[] wire = Encoding.ASCII.GetBytes(
            $"HTTP/1.1 200 OK\r\nContent-Length: {Lines.Length}\r\n\r\n{Lines}" +
            $"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{Lines[..7]}\r\n{Lines.Length - 7:X}\r\n{Lines[7..]}\r\n0\r\n\r\n" +
            $"HTTP/1.1 200 OK\r\nContent-Length: {Lines.Length}\r\n\r\n{Lines}");
        for (int cut = 0; cut <= wire.Length; cut++)
        {
            var dialect = PublishDialect.Of("batch", "host", null);
            Assert.Equal(6, dialect.CountAnswers(wire.AsSpan(0, cut), []) + dialect.CountAnswers(wire.AsSpan(cut), []));
        }
    }

    [Theory]
    [InlineData("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{\"error\":\"full\",\"status\": 503}\n")]
    public void A_message_that_was_not_taken_ends_the_run(string answer) =>
        Assert.Throws<InvalidOperationException>(() => PublishDialect.Of("batch", "host", null).CountAnswers(Encoding.ASCII.GetBytes(answer), []));

    [Fact]
    public void A_batch_is_one_request_with_a_line_for_each_message_that_was_due()
    {
        var output = new List<byte>();
        var dialect = PublishDialect.Of("batch", "host", null);
        dialect.Append(output, "c1", "one"u8);
        dialect.Append(output, "c2", "two"u8);
        dialect.EndTurn(output);
        dialect.EndTurn(output);

        Assert.Equal(
            "POST /channels HTTP/1.1\r\nHost: host\r\nContent-Type: application/x-ndjson\r\nContent-Length: 60\r\n\r\n" +
            "{\"channel\":\"c1\",\"data\":\"one\"}\n{\"channel\":\"c2\",\"data\":\"two\"}\n",
            Encoding.ASCII.GetString([.. output]));
    }

    [Theory]
    [InlineData("batch")]
    [InlineData("http")]
    public void A_message_that_looks_like_JSON_is_published_as_it_is(string publish)
    {
        var filling = Filling.Of("json", 512);
        var payload = new Payload(0, 3, 4, 5);
        byte[] message = new byte[512];
        payload.WriteTo(message, filling);
        var output = new List<byte>();
        var dialect = PublishDialect.Of(publish, "host", null);
        dialect.Append(output, "c3", message);
        dialect.EndTurn(output);

        byte[] body = [.. output.Skip(Encoding.ASCII.GetString([.. output]).IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)];
        string published = publish == "batch" ? JsonDocument.Parse(body).RootElement.GetProperty("data").GetString()! : Encoding.ASCII.GetString(body);
        Assert.Equal(Encoding.ASCII.GetString(message), published);
        Assert.DoesNotContain((char)Payload.Mark, published[1..]);
    }

    [Fact]
    public void Messages_that_look_like_JSON_differ_and_shrink_like_it()
    {
        var filling = Filling.Of("json", 1024);
        Assert.Equal(filling.Behind(new Payload(0, 3, 4, 5), 500), Filling.Of("json", 512).Behind(new Payload(1, 3, 4, 6), 500));
        Assert.False(filling.Behind(new Payload(0, 3, 4, 5), 900).SequenceEqual(filling.Behind(new Payload(0, 3, 5, 5), 900)));
        Assert.InRange(Compressed.Of(filling.Behind(new Payload(0, 3, 4, 5), 1024)).Length, 1024 / 6, 1024 / 2);
    }

    [Theory]
    [InlineData(1, 7)]
    [InlineData(2, 7)]
    [InlineData(3, 3)]
    public void Publishers_that_share_channels_out_number_each_of_them_without_a_hole(int publishers, int channels)
    {
        uint[] last = new uint[channels];
        for (int publisher = 0; publisher < publishers; publisher++)
        {
            var share = new ChannelShare(publisher, publishers, channels);
            for (long sent = 0; sent < 20; sent++)
            {
                int channel = share.ChannelAt(sent);
                Assert.Equal(++last[channel], share.NumberAt(sent));
            }
        }

        Assert.Equal(last, Enumerable.Range(0, channels).Select(channel =>
            (uint)Enumerable.Range(0, publishers).Sum(publisher => new ChannelShare(publisher, publishers, channels).LastNumberOf(channel, 20))));
        Assert.Equal(20 * publishers, last.Sum(number => number));
    }

    [Theory]
    [InlineData("websocket", false, "GET /channels/c1?format=json&after=0a-5 HTTP/1.1", null)]
    [InlineData("sse", false, "GET /channels/c1?after=0a-5 HTTP/1.1", "Accept: text/event-stream")]
    [InlineData("sse", true, "GET /channels/c1 HTTP/1.1", "Last-Event-ID: 0a-5")]
    [InlineData("ndjson", true, "GET /channels/c1?after=0a-5 HTTP/1.1", "Accept: application/x-ndjson")]
    [InlineData("longpoll", false, "GET /channels/c1?wait=20&limit=100&after=0a-5 HTTP/1.1", null)]
    [InlineData("shortpoll", false, "GET /channels/c1?limit=100&after=0a-5 HTTP/1.1", "If-None-Match: \"x\"")]
    public void A_request_says_where_the_client_was(string transport, bool isLastEventId, string line, string? field)
    {
        var after = new EntryId(10, 2, 5);
        string[] head = Encoding.ASCII.GetString(ResumeRequest.Make(TransportNames.Read(transport)[0], "host", "/channels/c1", after, "\"x\"", isLastEventId)).Split("\r\n");

        Assert.Equal(line, head[0]);
        Assert.True(field is null || head.Contains(field));
    }
}
