namespace RawPush.Protocol.Http;

/// <summary>Reads the pairs of a query, in order and as they were sent: nothing is decoded, a name may repeat.</summary>
/// <remarks>Pairs are separated by <c>&amp;</c> and empty ones are skipped, as in application/x-www-form-urlencoded (URL Standard, section 5.1).</remarks>
public ref struct QueryReader
{
    private ReadOnlySpan<byte> _rest;

    /// <summary>A reader at the first pair of a query without its question mark.</summary>
    public QueryReader(ReadOnlySpan<byte> query)
    {
        _rest = query;
    }

    /// <summary>Reads the next pair. Both spans are borrowed from the query.</summary>
    /// <param name="name">What precedes the first <c>=</c>; may be empty.</param>
    /// <param name="value">What follows it; empty when there is no <c>=</c>.</param>
    /// <returns>False after the last pair.</returns>
    public bool TryRead(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        name = default;
        value = default;
        _rest = _rest.TrimStart((byte)'&');
        if (_rest.IsEmpty)
        {
            return false;
        }

        int end = _rest.IndexOf((byte)'&');
        ReadOnlySpan<byte> pair = end < 0 ? _rest : _rest[..end];
        _rest = _rest[pair.Length..];

        int equals = pair.IndexOf((byte)'=');
        name = equals < 0 ? pair : pair[..equals];
        value = equals < 0 ? default : pair[(equals + 1)..];
        return true;
    }
}
