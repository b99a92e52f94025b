namespace RawPush.Protocol.Proxy;

/// <summary>Numbers as they stand in addresses: decimal, with no leading zero, which some would read as octal.</summary>
internal static class DecimalNumber
{
    private const int DigitsMax = 5;

    public static bool TryParse(ReadOnlySpan<byte> text, int max, out int number)
    {
        number = 0;
        if (text.Length is 0 or > DigitsMax || (text.Length > 1 && text[0] == '0') || text.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            return false;
        }

        foreach (byte digit in text)
        {
            number = (number * 10) + (digit - '0');
        }

        return number <= max;
    }
}
