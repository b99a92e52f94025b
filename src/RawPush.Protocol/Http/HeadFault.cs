namespace RawPush.Protocol.Http;

/// <summary>What is wrong with a head. One byte, so that the parser need not carry a status code and a string per connection.</summary>
internal enum HeadFault : byte
{
    None,
    BareLineFeed,
    RequestLineMalformed,
    MethodNotToken,
    TargetNotVisible,
    VersionMalformed,
    VersionUnsupported,
    RequestLineTooLong,
    FieldLineTooLong,
    TooManyFields,
    HeadTooLarge,
    LineFolded,
    ColonMissing,
    SpaceBeforeColon,
    NameNotToken,
    ValueHasControl,
    HostMissing,
    HostRepeated,
    HostMalformed,
}

internal static class HeadFaultExtensions
{
    public static HeadRefusal ToRefusal(this HeadFault fault) => fault switch
    {
        HeadFault.None => default,
        HeadFault.BareLineFeed => new(400, "A line of the request head does not end with CRLF."),
        HeadFault.RequestLineMalformed => new(400, "The request line is not a method, a target and a version, each separated by one space."),
        HeadFault.MethodNotToken => new(400, "The request method is not a token."),
        HeadFault.TargetNotVisible => new(400, "The request target holds a byte that is not visible ASCII."),
        HeadFault.VersionMalformed => new(400, "The request line does not end with an HTTP version."),
        HeadFault.VersionUnsupported => new(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here."),
        HeadFault.RequestLineTooLong => new(414, "The request line is too long."),
        HeadFault.FieldLineTooLong => new(431, "A header field is too long."),
        HeadFault.TooManyFields => new(431, "There are too many header fields."),
        HeadFault.HeadTooLarge => new(431, "The request head is too large."),
        HeadFault.LineFolded => new(400, "A header line begins with whitespace."),
        HeadFault.ColonMissing => new(400, "A header line has no colon."),
        HeadFault.SpaceBeforeColon => new(400, "A header field has whitespace between its name and the colon."),
        HeadFault.NameNotToken => new(400, "A header field name is empty or not a token."),
        HeadFault.ValueHasControl => new(400, "A header field value holds a control character."),
        HeadFault.HostMissing => new(400, "An HTTP/1.1 request needs a Host field."),
        HeadFault.HostRepeated => new(400, "The Host field is repeated."),
        HeadFault.HostMalformed => new(400, "The Host field is not a host and an optional port."),
        _ => throw new ArgumentOutOfRangeException(nameof(fault)),
    };
}
