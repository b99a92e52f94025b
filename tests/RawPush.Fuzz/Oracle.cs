namespace RawPush.Fuzz;

/// <summary>The product and what is known of it differ.</summary>
internal sealed class OracleException(string message) : Exception(message);

/// <summary>Compares what the product did with what it should have done.</summary>
internal static class Oracle
{
    public static void Same<T>(T expected, T actual, string what)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
        {
            throw new OracleException($"{what}\n  expected: {expected}\n  actual:   {actual}");
        }
    }

    public static void SameBytes(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, string what)
    {
        if (!expected.SequenceEqual(actual))
        {
            throw new OracleException($"{what}\n  expected: {Convert.ToHexString(expected)}\n  actual:   {Convert.ToHexString(actual)}");
        }
    }

    public static void Holds(bool condition, string what)
    {
        if (!condition)
        {
            throw new OracleException(what);
        }
    }

    /// <summary>The action must say that its caller was wrong.</summary>
    public static void Throws<TException>(Action action, string what)
        where TException : Exception
    {
        try
        {
            action();
        }
        catch (TException)
        {
            return;
        }

        throw new OracleException(what);
    }
}
