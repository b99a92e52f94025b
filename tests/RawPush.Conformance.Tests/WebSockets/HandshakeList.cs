namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>Numbers the cases of a topic in the order in which they are added, as <see cref="CaseList"/> does.</summary>
internal sealed class HandshakeList(int topic)
{
    private readonly List<HandshakeCase> _cases = [];
    private int _section;
    private int _case;

    public IEnumerable<TheoryDataRow<HandshakeCase>> Rows =>
        _cases.Select(sample => new TheoryDataRow<HandshakeCase>(sample) { Label = sample.ToString() });

    /// <summary>Of the cases that are added from now on, up to the end of their section.</summary>
    public bool IsForFirstRequest { get; set; }

    public void Section(int number) => (_section, _case, IsForFirstRequest) = (number, 0, false);

    public void Add(string sentence, string head, (string Name, string? Value)? field = null) => Refuse(sentence, 101, head, field);

    public void Refuse(string sentence, int status, string head, (string Name, string? Value)? field = null) =>
        Add(new HandshakeCase(string.Empty, sentence, head, status) { Field = field });

    public void AddBehind(string sentence, string head, byte[] behind, params string[] replies) =>
        Add(new HandshakeCase(string.Empty, sentence, head, 101) { Behind = behind, Replies = replies });

    private void Add(HandshakeCase sample) => _cases.Add(sample with
    {
        Number = $"{topic}.{_section}.{++_case}",
        IsForFirstRequest = IsForFirstRequest,
    });
}
