namespace RawPush.Protocol.Http;

/// <summary>Receives a request head line by line, each as soon as it is whole and has been judged good.</summary>
/// <remarks>
/// Implemented by structs, so that the parser calls it without an interface dispatch. The lines of one head may come in several calls of
/// <see cref="RequestHeadParser.Parse"/>; a later line may still refuse the head, so act only on <see cref="HeadStatus.Done"/>.
/// All spans are borrowed until the method returns, which is what <c>scoped</c> holds even a ref struct to.
/// </remarks>
public interface IRequestHeadHandler
{
    /// <summary>The request line. Called once, before any field.</summary>
    /// <param name="method">A token; methods are case-sensitive (RFC 9110, section 9.1).</param>
    /// <param name="target">Visible ASCII, at least one byte; its form is not judged. See <see cref="RequestTarget"/>.</param>
    /// <param name="version">The version named.</param>
    /// <returns>False to leave this request to somebody else: parsing ends with <see cref="HeadStatus.Declined"/> and nothing more is read.</returns>
    bool OnRequestLine(scoped ReadOnlySpan<byte> method, scoped ReadOnlySpan<byte> target, HttpVersion version);

    /// <summary>A field line. Called for each, in order; names may repeat, except Host.</summary>
    /// <param name="name">A token in the case the client sent; compare without regard to case.</param>
    /// <param name="value">Without the whitespace around it; may be empty, may hold HTAB and bytes from 0x80 to 0xFF, never another control.</param>
    void OnField(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value);
}
