namespace RawPush.Fanout.Channels;

/// <summary>Names or patterns by their tokens, so that who matches is found in time proportional to a name's depth. Not safe for threads.</summary>
internal sealed class SubjectTree<T>
    where T : class
{
    private const string AnyToken = "*";
    private const string AnyRest = ">";

    private readonly Node _root = new();

    public int Count { get; private set; }

    public T? Find(ReadOnlySpan<char> subject)
    {
        var node = _root;
        while (node is not null && TakeToken(ref subject, out var token))
        {
            node = node.Child(token);
        }

        return node?.Value;
    }

    /// <summary>Adds a value at a place where there is none.</summary>
    public void Add(ReadOnlySpan<char> subject, T value)
    {
        var node = _root;
        while (TakeToken(ref subject, out var token))
        {
            node = node.Child(token) ?? node.Add(token.ToString());
        }

        node.Value = value;
        Count++;
    }

    /// <summary>Takes the value out, if it is the one that is there, and with it the branches that lead to nothing else.</summary>
    public void Remove(ReadOnlySpan<char> subject, T value) => RemoveBelow(_root, subject, value);

    /// <summary>Where the tree holds patterns: those that match a name.</summary>
    public void FindMatches(ReadOnlySpan<char> name, List<T> found) => FindMatchesBelow(_root, name, found);

    /// <summary>Where the tree holds names: those that match a pattern.</summary>
    public void FindMatching(ReadOnlySpan<char> pattern, List<T> found) => FindMatchingBelow(_root, pattern, found);

    private static void FindMatchesBelow(Node node, ReadOnlySpan<char> rest, List<T> found)
    {
        if (!TakeToken(ref rest, out var token))
        {
            AddValue(node, found);
            return;
        }

        AddValue(node.Child(AnyRest), found);
        if (node.Child(token) is { } named)
        {
            FindMatchesBelow(named, rest, found);
        }

        if (node.Child(AnyToken) is { } any)
        {
            FindMatchesBelow(any, rest, found);
        }
    }

    private static void FindMatchingBelow(Node node, ReadOnlySpan<char> rest, List<T> found)
    {
        if (!TakeToken(ref rest, out var token))
        {
            AddValue(node, found);
            return;
        }

        if (token is not AnyToken and not AnyRest)
        {
            if (node.Child(token) is { } named)
            {
                FindMatchingBelow(named, rest, found);
            }

            return;
        }

        foreach (var child in node.Children)
        {
            if (token is AnyRest)
            {
                AddAllBelow(child, found);
            }
            else
            {
                FindMatchingBelow(child, rest, found);
            }
        }
    }

    private static void AddAllBelow(Node node, List<T> found)
    {
        AddValue(node, found);
        foreach (var child in node.Children)
        {
            AddAllBelow(child, found);
        }
    }

    private static void AddValue(Node? node, List<T> found)
    {
        if (node?.Value is { } value)
        {
            found.Add(value);
        }
    }

    private void RemoveBelow(Node node, ReadOnlySpan<char> rest, T value)
    {
        if (!TakeToken(ref rest, out var token))
        {
            if (node.Value == value)
            {
                node.Value = null;
                Count--;
            }

            return;
        }

        if (node.Child(token) is { } child)
        {
            RemoveBelow(child, rest, value);
            if (child.IsEmpty)
            {
                node.Remove(token);
            }
        }
    }

    private static bool TakeToken(ref ReadOnlySpan<char> rest, out ReadOnlySpan<char> token)
    {
        int dot = rest.IndexOf('.');
        token = dot < 0 ? rest : rest[..dot];
        rest = dot < 0 ? default : rest[(dot + 1)..];
        return !token.IsEmpty;
    }

    private sealed class Node
    {
        private Dictionary<string, Node>? _children;

        public T? Value { get; set; }

        public bool IsEmpty => Value is null && _children is null;

        public IEnumerable<Node> Children => _children is null ? [] : _children.Values;

        public Node? Child(ReadOnlySpan<char> token) =>
            _children is not null && _children.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(token, out var child) ? child : null;

        public Node Add(string token)
        {
            var child = new Node();
            (_children ??= new Dictionary<string, Node>(1, StringComparer.Ordinal)).Add(token, child);
            return child;
        }

        public void Remove(ReadOnlySpan<char> token)
        {
            _children!.GetAlternateLookup<ReadOnlySpan<char>>().Remove(token);
            if (_children.Count == 0)
            {
                _children = null;
            }
            else if (_children.Capacity > 64 && _children.Count < _children.Capacity / 8)
            {
                _children.TrimExcess();
            }
        }
    }
}
