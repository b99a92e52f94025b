using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;

namespace RawPush.Protocol.Http;

/// <summary>Reads the head of an HTTP/1 request, strictly (RFC 9112), however the bytes arrive.</summary>
/// <remarks>
/// <para>A mutable struct holding what must survive between reads; keep it in a field and do not copy it. One caller at a time.
/// Made by its constructor only: a <c>default</c> parser has no limits and throws.</para>
/// <para>Nothing is consumed: each call is given the head from its first byte, and the caller keeps the bytes until the decision.
/// Each byte is searched for the end of its line once and judged once, whatever the number of calls, so a head that dribbles in costs linear
/// time. A line is judged the moment it is whole, so a bad one is refused before the head is. The decision, once made, is repeated by every later
/// call, and never depends on how the bytes were cut.</para>
/// <para>It judges lines, not meaning: Content-Length, Transfer-Encoding and the form of the target are for the handler.</para>
/// </remarks>
public struct RequestHeadParser
{
    // Lines that straddle segments are copied to be judged. Most fit here; longer ones borrow from the pool.
    private const int StackBytesMax = 512;

    private readonly RequestHeadLimits _limits;
    private int _lineStart;   // where the line being received starts, from the first byte of the head
    private int _scanned;     // there is no LF from _lineStart up to here
    private ushort _fields;
    private Progress _progress;
    private HttpVersion _version;
    private HeadFault _fault;

    /// <summary>A parser at the first byte of a head.</summary>
    public RequestHeadParser(RequestHeadLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        _limits = limits;
    }

    [Flags]
    private enum Progress : byte
    {
        None = 0,
        EmptyLineSkipped = 1,
        RequestLine = 2,
        Host = 4,
        Done = 8,
        Declined = 16,
    }

    /// <summary>After <see cref="HeadStatus.Done"/>: bytes of the head, the final CRLF CRLF included. Otherwise 0.</summary>
    public readonly int BytesConsumed => Has(Progress.Done) ? _lineStart : 0;

    /// <summary>After <see cref="HeadStatus.Refused"/>: how to answer. Otherwise <c>default</c>.</summary>
    public readonly HeadRefusal Refusal => _fault.ToRefusal();

    /// <summary>True once the request line was received whole and judged good. What follows it may still be refused.</summary>
    public readonly bool HasRequestLine => Has(Progress.RequestLine);

    /// <summary>Reads on from where the last call stopped, and hands each good line to <paramref name="handler"/>.</summary>
    /// <param name="head">The head from its first byte: what the last call was given and, after it, what came since. May reach beyond the head.</param>
    /// <param name="handler">The same handler in every call. If it throws, the parser must not be used again.</param>
    /// <remarks>Segments are expected to be blocks of a pipe: finding the way to the first new byte costs one step per segment.</remarks>
    public HeadStatus Parse<THandler>(in ReadOnlySequence<byte> head, ref THandler handler)
        where THandler : struct, IRequestHeadHandler, allows ref struct
    {
        Debug.Assert(head.Length >= _scanned, "The head shrank: the caller consumed bytes before the decision.");

        HeadStatus status = Decision();
        if (status != HeadStatus.NeedMore)
        {
            return status;
        }

        return head.IsSingleSegment
            ? ParseSegment(head, head.FirstSpan, 0, ref handler)
            : ParseSegments(head, ref handler);
    }

    private HeadStatus ParseSegments<THandler>(in ReadOnlySequence<byte> head, ref THandler handler)
        where THandler : struct, IRequestHeadHandler, allows ref struct
    {
        int offset = 0;
        foreach (ReadOnlyMemory<byte> segment in head)
        {
            int end = offset + segment.Length;
            if (end > _scanned)
            {
                HeadStatus status = ParseSegment(head, segment.Span, offset, ref handler);
                if (status != HeadStatus.NeedMore)
                {
                    return status;
                }
            }

            offset = end;
        }

        return HeadStatus.NeedMore;
    }

    // Hot: every head of every connection. `segment` starts `offset` bytes into the head and holds the first byte not scanned yet.
    private HeadStatus ParseSegment<THandler>(in ReadOnlySequence<byte> head, scoped ReadOnlySpan<byte> segment, int offset, ref THandler handler)
        where THandler : struct, IRequestHeadHandler, allows ref struct
    {
        while (true)
        {
            // Limits are positions in the head, not amounts per call. That is why no way of cutting the bytes can change the decision.
            int limit = Math.Min(_lineStart + _limits.LineBytesMax, _limits.HeadBytesMax);
            int end = Math.Min(offset + segment.Length, limit);
            int lineFeed = segment[(_scanned - offset)..(end - offset)].IndexOf((byte)'\n');
            if (lineFeed < 0)
            {
                _scanned = end;
                return end == limit ? RefuseTooLarge() : HeadStatus.NeedMore;
            }

            int lineStart = _lineStart;
            _scanned += lineFeed + 1;
            _lineStart = _scanned;

            HeadStatus status = lineStart >= offset
                ? OnLine(segment[(lineStart - offset)..(_lineStart - offset)], ref handler)
                : OnLineSlow(head.Slice(lineStart, _lineStart - lineStart), ref handler);
            if (status != HeadStatus.NeedMore)
            {
                return status;
            }
        }
    }

    // Rare: the line straddles segments. Out of line, so that the stack buffer is only paid for here.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private HeadStatus OnLineSlow<THandler>(in ReadOnlySequence<byte> line, ref THandler handler)
        where THandler : struct, IRequestHeadHandler, allows ref struct
    {
        int length = (int)line.Length;
        byte[]? rented = null;
        Span<byte> copy = length <= StackBytesMax
            ? stackalloc byte[StackBytesMax]
            : rented = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            line.CopyTo(copy);
            return OnLine(copy[..length], ref handler);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    private HeadStatus OnLine<THandler>(scoped ReadOnlySpan<byte> line, ref THandler handler)
        where THandler : struct, IRequestHeadHandler, allows ref struct
    {
        // Section 2.2 lets a recipient take a bare LF for the end of a line. Two recipients that differ on it are how requests are smuggled.
        if (!line.EndsWith("\r\n"u8))
        {
            return Refuse(HeadFault.BareLineFeed);
        }

        line = line[..^2];
        if (!Has(Progress.RequestLine))
        {
            return OnRequestLine(line, ref handler);
        }

        return line.IsEmpty ? OnEnd() : OnFieldLine(line, ref handler);
    }

    // Section 3: request-line = method SP request-target SP HTTP-version
    private HeadStatus OnRequestLine<THandler>(scoped ReadOnlySpan<byte> line, ref THandler handler)
        where THandler : struct, IRequestHeadHandler, allows ref struct
    {
        // Section 2.2: SHOULD ignore at least one empty line received before the request line. One it is.
        if (line.IsEmpty && !Has(Progress.EmptyLineSkipped))
        {
            _progress |= Progress.EmptyLineSkipped;
            return HeadStatus.NeedMore;
        }

        int methodLength = line.IndexOf((byte)' ');
        int targetLength = line[(methodLength + 1)..].IndexOf((byte)' ');
        if (methodLength <= 0 || targetLength <= 0)
        {
            return Refuse(HeadFault.RequestLineMalformed);
        }

        ReadOnlySpan<byte> method = line[..methodLength];
        ReadOnlySpan<byte> target = line.Slice(methodLength + 1, targetLength);
        HeadFault fault = JudgeRequestLine(method, target, line[(methodLength + targetLength + 2)..], out _version);
        if (fault != HeadFault.None)
        {
            return Refuse(fault);
        }

        _progress |= Progress.RequestLine;
        if (!handler.OnRequestLine(method, target, _version))
        {
            _progress |= Progress.Declined;
            return HeadStatus.Declined;
        }

        return HeadStatus.NeedMore;
    }

    private static HeadFault JudgeRequestLine(
        ReadOnlySpan<byte> method, ReadOnlySpan<byte> target, ReadOnlySpan<byte> versionName, out HttpVersion version)
    {
        version = HttpVersion.Http11;
        if (!HttpSyntax.IsToken(method))
        {
            return HeadFault.MethodNotToken;
        }

        if (!HttpSyntax.IsVisibleAscii(target))
        {
            return HeadFault.TargetNotVisible;
        }

        if (versionName.SequenceEqual("HTTP/1.1"u8))
        {
            return HeadFault.None;
        }

        version = HttpVersion.Http10;
        if (versionName.SequenceEqual("HTTP/1.0"u8))
        {
            return HeadFault.None;
        }

        return IsVersion(versionName) ? HeadFault.VersionUnsupported : HeadFault.VersionMalformed;
    }

    // Section 2.3: HTTP-version = HTTP-name "/" DIGIT "." DIGIT, and HTTP-name is case-sensitive.
    private static bool IsVersion(ReadOnlySpan<byte> name) =>
        name.Length == 8
        && name.StartsWith("HTTP/"u8)
        && char.IsAsciiDigit((char)name[5])
        && name[6] == '.'
        && char.IsAsciiDigit((char)name[7]);

    // Section 5: field-line = field-name ":" OWS field-value OWS
    private HeadStatus OnFieldLine<THandler>(scoped ReadOnlySpan<byte> line, ref THandler handler)
        where THandler : struct, IRequestHeadHandler, allows ref struct
    {
        if (_fields == _limits.FieldsMax)
        {
            return Refuse(HeadFault.TooManyFields);
        }

        _fields++;
        int colon = line.IndexOf((byte)':');
        if (colon < 0 || !HttpSyntax.IsToken(line[..colon]))
        {
            return Refuse(WhatIsWrongWithName(line, colon));
        }

        ReadOnlySpan<byte> name = line[..colon];
        ReadOnlySpan<byte> value = HttpSyntax.TrimWhitespace(line[(colon + 1)..]);
        if (HttpSyntax.HasValueControl(value))
        {
            return Refuse(HeadFault.ValueHasControl);
        }

        if (name.Length == 4 && Ascii.EqualsIgnoreCase(name, "host"u8))
        {
            HeadFault fault = OnHost(value);
            if (fault != HeadFault.None)
            {
                return Refuse(fault);
            }
        }

        handler.OnField(name, value);
        return HeadStatus.NeedMore;
    }

    private static HeadFault WhatIsWrongWithName(ReadOnlySpan<byte> line, int colon)
    {
        // Section 2.2 for the first field line, section 5.2 (obs-fold) for the others.
        if (HttpSyntax.IsWhitespace(line[0]))
        {
            return HeadFault.LineFolded;
        }

        if (colon < 0)
        {
            return HeadFault.ColonMissing;
        }

        // Section 5.1: MUST reject, because proxies that trimmed it let requests be smuggled.
        return colon > 0 && HttpSyntax.IsWhitespace(line[colon - 1]) ? HeadFault.SpaceBeforeColon : HeadFault.NameNotToken;
    }

    // Section 3.2: 400 for more than one Host and for an invalid one. Empty is valid: it says that the target has no authority.
    private HeadFault OnHost(ReadOnlySpan<byte> value)
    {
        if (Has(Progress.Host))
        {
            return HeadFault.HostRepeated;
        }

        _progress |= Progress.Host;
        return value.IsEmpty || HostSyntax.IsHostAndPort(value) ? HeadFault.None : HeadFault.HostMalformed;
    }

    private HeadStatus OnEnd()
    {
        // Section 3.2: an HTTP/1.1 request without Host MUST be answered with 400.
        if (_version == HttpVersion.Http11 && !Has(Progress.Host))
        {
            return Refuse(HeadFault.HostMissing);
        }

        _progress |= Progress.Done;
        return HeadStatus.Done;
    }

    private HeadStatus RefuseTooLarge()
    {
        // Whichever limit comes first in the head is the one that was passed.
        if (_lineStart + _limits.LineBytesMax > _limits.HeadBytesMax)
        {
            return Refuse(HeadFault.HeadTooLarge);
        }

        return Refuse(Has(Progress.RequestLine) ? HeadFault.FieldLineTooLong : HeadFault.RequestLineTooLong);
    }

    private HeadStatus Refuse(HeadFault fault)
    {
        _fault = fault;
        return HeadStatus.Refused;
    }

    private readonly HeadStatus Decision()
    {
        if (_fault != HeadFault.None)
        {
            return HeadStatus.Refused;
        }

        if (Has(Progress.Declined))
        {
            return HeadStatus.Declined;
        }

        return Has(Progress.Done) ? HeadStatus.Done : HeadStatus.NeedMore;
    }

    private readonly bool Has(Progress step) => (_progress & step) != 0;
}
