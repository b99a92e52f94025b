using System.Text;
using RawPush.Protocol.ServerSentEvents;
using RawPush.TestKit;

namespace RawPush.Conformance.Tests.Events;

/// <summary>2. What the writer makes of a text, read by the oracle, and cut off anywhere.</summary>
public sealed class EventWriterTests
{
    [Fact(DisplayName = "2.1 Five thousand random texts with ids and names come through")]
    public void RandomTextsComeThrough()
    {
        string[] texts = Payloads.Random(seed: 1, count: 5000);
        var stream = new List<byte>();
        for (int i = 0; i < texts.Length; i++)
        {
            stream.AddRange(Write($"{i}", i % 3 == 0 ? $"e: {i}" : string.Empty, texts[i]));
        }

        var result = SseReferenceParser.Parse([.. stream]);
        Assert.True(result.IsComplete);
        Assert.Equal(
            texts.Select((text, i) => new SseReferenceEvent($"{i}", i % 3 == 0 ? $"e: {i}" : "message", Payloads.AsSeenByEventSource(text))),
            result.Events);
        Assert.Empty(result.Comments);
        Assert.Null(result.RetryMs);
    }

    [Fact(DisplayName = "2.2 A stream that is cut anywhere never shows half an event, nor moves where its reader resumes")]
    public void AStreamThatIsCutNeverShowsHalfAnEvent()
    {
        foreach (string text in Payloads.Named.Select(row => row.Text).Where(text => text.Length < 100).Concat(Payloads.Random(seed: 2, count: 50)))
        {
            byte[] first = Write("1", "a", "before");
            byte[] stream = [.. first, .. Write("2", "b", text)];
            for (int cut = first.Length; cut < stream.Length; cut++)
            {
                if ((stream[cut] & 0xC0) == 0x80)
                {
                    // In the middle of a character: the oracle takes whole ones.
                    continue;
                }

                var result = SseReferenceParser.Parse(stream.AsSpan(0, cut));
                Assert.Equal([new SseReferenceEvent("1", "a", "before")], result.Events);
                Assert.Equal("1", result.LastEventId);
            }

            Assert.Equal(2, SseReferenceParser.Parse(stream).Events.Count);
        }
    }

    [Fact(DisplayName = "2.3 No text makes a CR of ours, a comment or a field of its own")]
    public void NoTextBreaksOutOfItsLines()
    {
        foreach (string text in Payloads.Named.Select(row => row.Text).Concat(Payloads.Random(seed: 3, count: 1000)))
        {
            byte[] written = Write("1", "n", text);
            Assert.DoesNotContain((byte)'\r', written);
            string[] lines = Encoding.UTF8.GetString(written).Split('\n');
            Assert.Equal(["id: 1", "event: n"], lines[..2]);
            Assert.All(lines[2..^2], line => Assert.StartsWith("data: ", line, StringComparison.Ordinal));
            Assert.Equal(["", ""], lines[^2..]);
        }
    }

    private static byte[] Write(string id, string name, string text)
    {
        byte[] idBytes = Encoding.UTF8.GetBytes(id);
        byte[] nameBytes = Encoding.UTF8.GetBytes(name);
        byte[] data = Encoding.UTF8.GetBytes(text);
        byte[] written = new byte[SseEventWriter.GetEventLength(idBytes, nameBytes, data)];
        Assert.Equal(written.Length, SseEventWriter.WriteEvent(written, idBytes, nameBytes, data));
        return written;
    }
}
