using System.Buffers;
using System.Text;

namespace RawPush.Fuzz.References;

/// <summary>What bytes are as UTF-8.</summary>
internal enum Utf8Verdict
{
    Whole,

    /// <summary>Valid so far; the last character is not all there.</summary>
    Cut,

    /// <summary>Nothing that may follow makes it valid.</summary>
    Invalid,
}

/// <summary>UTF-8 a character at a time, as the base class library decodes them.</summary>
internal static class ReferenceUtf8
{
    public static Utf8Verdict Judge(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var status = Rune.DecodeFromUtf8(bytes, out _, out int length);
            if (status != OperationStatus.Done)
            {
                return status == OperationStatus.NeedMoreData ? Utf8Verdict.Cut : Utf8Verdict.Invalid;
            }

            bytes = bytes[length..];
        }

        return Utf8Verdict.Whole;
    }
}
