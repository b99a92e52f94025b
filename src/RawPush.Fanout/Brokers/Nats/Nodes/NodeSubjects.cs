using System.Globalization;

namespace RawPush.Fanout.Brokers.Nats.Nodes;

/// <summary>The subjects on which nodes speak of themselves.</summary>
/// <param name="prefix">Of this deployment.</param>
/// <param name="node">This node.</param>
internal sealed class NodeSubjects(string prefix, ulong node)
{
    private readonly string _answers = $"{prefix}.node.answer.";
    private readonly string _ownAnswers = $"{prefix}.node.answer.{node:x}.";

    /// <summary>A node lives.</summary>
    public string Alive { get; } = $"{prefix}.node.alive";

    /// <summary>A node ends in good order.</summary>
    public string Gone { get; } = $"{prefix}.node.gone";

    /// <summary>A question to all nodes.</summary>
    public string Ask { get; } = $"{prefix}.node.ask";

    /// <summary>These three.</summary>
    public string ToAll { get; } = $"{prefix}.node.*";

    /// <summary>Answers to this node.</summary>
    public string ToUs => _ownAnswers + "*";

    /// <summary>Where the answers to a question of ours go.</summary>
    public string AnswersTo(long question) => string.Create(CultureInfo.InvariantCulture, $"{_ownAnswers}{question}");

    /// <summary>Whether an answer may be sent there: nobody is to make us publish anywhere else.</summary>
    public bool IsForAnswers(string? subject) => subject?.StartsWith(_answers, StringComparison.Ordinal) == true;

    /// <summary>Which question of ours an answer is to.</summary>
    public bool TryReadQuestion(string subject, out long question)
    {
        question = 0;
        return subject.StartsWith(_ownAnswers, StringComparison.Ordinal)
            && long.TryParse(subject.AsSpan(_ownAnswers.Length), NumberStyles.None, CultureInfo.InvariantCulture, out question);
    }
}
