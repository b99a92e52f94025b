using System.Text.Unicode;

namespace RawPush.Protocol.WebSockets;

/// <summary>Checks UTF-8 that arrives in pieces, and says no at the first byte that no later one can make good.</summary>
/// <remarks>
/// The bulk of each piece goes to the vectorised <see cref="Utf8.IsValid"/>; only a character cut by the end of a piece is walked byte by byte.
/// Between pieces the state is which bytes may come next, as in the table of well-formed sequences (Unicode, table 3-7; RFC 3629, section 4):
/// <code>
/// first    second   then            the second byte is narrower after:
/// C2..DF   80..BF                   E0 (or it would be overlong), ED (surrogates),
/// E0..EF   80..BF   one  80..BF     F0 (overlong), F4 (beyond U+10FFFF)
/// F0..F4   80..BF   two  80..BF
/// </code>
/// Three bytes. A default value is ready for use. One thread at a time.
/// </remarks>
public struct Utf8Validator
{
    private byte _missing;   // Bytes that the character begun still lacks, 0 to 3.
    private byte _nextMin;   // While some are missing: the range of the next one. After a failure it is empty, so nothing ever fits again.
    private byte _nextMax;

    /// <summary>Whether what was appended so far is whole, valid text: no failure, and no character is cut.</summary>
    public readonly bool IsComplete => _missing == 0;

    private readonly bool HasFailed => _missing > 0 && _nextMin > _nextMax;

    /// <summary>Checks the next piece. The empty piece is always fine.</summary>
    /// <returns>False as soon as the text cannot become valid any more, and ever after until <see cref="Reset"/>.</returns>
    public bool Append(ReadOnlySpan<byte> bytes)
    {
        if (_missing > 0 && !ContinueCharacter(ref bytes))
        {
            return false;
        }

        int whole = bytes.Length - CountCutBytes(bytes);
        if (!Utf8.IsValid(bytes[..whole]))
        {
            return Fail();
        }

        var cut = bytes[whole..];
        return cut.IsEmpty || BeginCharacter(cut);
    }

    /// <summary>Forgets everything; the next piece begins a new text.</summary>
    public void Reset() => this = default;

    // Takes from the front of bytes what belongs to the character begun earlier.
    private bool ContinueCharacter(ref ReadOnlySpan<byte> bytes)
    {
        if (HasFailed)
        {
            return false;
        }

        while (_missing > 0 && bytes.Length > 0)
        {
            if (bytes[0] < _nextMin || bytes[0] > _nextMax)
            {
                return Fail();
            }

            Expect(_missing - 1, 0x80, 0xBF);
            bytes = bytes[1..];
        }

        return true;
    }

    private bool BeginCharacter(ReadOnlySpan<byte> bytes)
    {
        byte first = bytes[0];
        switch (first)
        {
            case >= 0xC2 and <= 0xDF:
                Expect(1, 0x80, 0xBF);
                break;
            case >= 0xE0 and <= 0xEF:
                Expect(2, (byte)(first == 0xE0 ? 0xA0 : 0x80), (byte)(first == 0xED ? 0x9F : 0xBF));
                break;
            case >= 0xF0 and <= 0xF4:
                Expect(3, (byte)(first == 0xF0 ? 0x90 : 0x80), (byte)(first == 0xF4 ? 0x8F : 0xBF));
                break;
            default:
                return Fail();
        }

        bytes = bytes[1..];
        return ContinueCharacter(ref bytes);
    }

    // Bytes at the end, at most three, of a character whose first byte promises more than is there.
    private static int CountCutBytes(ReadOnlySpan<byte> bytes)
    {
        for (int count = 1; count <= 3 && count <= bytes.Length; count++)
        {
            byte candidate = bytes[^count];
            if ((candidate & 0xC0) != 0x80)
            {
                return count < PromisedLength(candidate) ? count : 0;
            }
        }

        return 0;
    }

    private static int PromisedLength(byte first) => first switch
    {
        < 0xC0 => 1,
        < 0xE0 => 2,
        < 0xF0 => 3,
        _ => 4,
    };

    private void Expect(int missing, byte nextMin, byte nextMax)
    {
        _missing = (byte)missing;
        _nextMin = nextMin;
        _nextMax = nextMax;
    }

    private bool Fail()
    {
        Expect(1, 1, 0);
        return false;
    }
}
