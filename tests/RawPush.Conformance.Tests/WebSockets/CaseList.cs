using RawPush.TestKit;

namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>Numbers the cases of a topic in the order in which they are added. New ones go to the end of their section, so that numbers stay.</summary>
internal sealed class CaseList(int topic)
{
    private readonly List<WebSocketCase> _cases = [];
    private int _section;
    private int _case;

    /// <summary>Settings of the cases that are added from now on.</summary>
    public Func<WebSocketCase, WebSocketCase> Setting { get; set; } = static sample => sample;

    /// <summary>The cases, each a row of a theory that shows its number and its sentence.</summary>
    public IEnumerable<TheoryDataRow<WebSocketCase>> Rows => _cases.Select(sample => new TheoryDataRow<WebSocketCase>(sample) { Label = sample.ToString() });

    /// <summary>Begins a section.</summary>
    public void Section(int number) => (_section, _case, Setting) = (number, 0, static sample => sample);

    /// <summary>A case in which the client says all it has to say at once.</summary>
    public void Add(string sentence, byte[] sent, params string[] replies) => Add(sentence, new Exchange(sent, replies));

    public void Add(string sentence, params Exchange[] exchanges) =>
        _cases.Add(Setting(new WebSocketCase($"{topic}.{_section}.{++_case}", sentence, exchanges)));

    /// <summary>What breaks the rules behind a message in order: that one is answered, and the rest is refused.</summary>
    public void AddRefused(string sentence, int status, params byte[][] sent) =>
        Add(sentence, [.. ClientFrames.Text("before"), .. sent.SelectMany(bytes => bytes)], Reply.Text("before"), Reply.Refusal(status));

    /// <summary>What breaks the rules with its last byte: up to there all is well, and nothing more need come for the refusal.</summary>
    public void AddRefusedAtLastByte(string sentence, int status, params byte[] sent) =>
        Add(sentence, new Exchange(sent[..^1]), new Exchange(sent[^1..], Reply.Refusal(status)));
}
