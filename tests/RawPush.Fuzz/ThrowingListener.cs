using System.Diagnostics;

namespace RawPush.Fuzz;

/// <summary>Makes an exception of an assert that fails.</summary>
internal sealed class ThrowingListener : TraceListener
{
    public override void Fail(string? message, string? detailMessage) => throw new OracleException($"Assert: {message} {detailMessage}");

    public override void Write(string? message)
    {
    }

    public override void WriteLine(string? message)
    {
    }
}
