using System.Text.Unicode;
using RawPush.Fuzz.References;
using RawPush.Protocol.WebSockets;

namespace RawPush.Fuzz.Targets;

/// <summary>Text in pieces: <see cref="Utf8Validator"/> says at each piece what a decoder says of all that came so far, and at the end what <see cref="Utf8"/> says.</summary>
/// <remarks>Input: the pieces' lengths, the text.</remarks>
internal sealed class Utf8Target : IFuzzTarget
{
    public string Name => "utf8";

    public void Run(byte[] input)
    {
        var source = new FuzzInput(input);
        int[] lengths = source.TakePieceLengths();
        byte[] text = source.TakeRest();

        var validator = default(Utf8Validator);
        Append(ref validator, text, FuzzInput.EndsOf(lengths, text.Length));
        Oracle.Same(Utf8.IsValid(text), validator.Append([]) && validator.IsComplete, "the whole text in pieces");

        validator.Reset();
        Append(ref validator, text, [text.Length]);
    }

    private static void Append(ref Utf8Validator validator, byte[] text, int[] ends)
    {
        int start = 0;
        foreach (int end in ends)
        {
            bool goesOn = validator.Append(text.AsSpan(start..end));
            var verdict = ReferenceUtf8.Judge(text.AsSpan(0, end));
            Oracle.Same(verdict != Utf8Verdict.Invalid, goesOn, $"the first {end} bytes");
            Oracle.Same(verdict == Utf8Verdict.Whole, validator.IsComplete, $"whether the first {end} bytes are complete");
            start = end;
        }
    }
}
