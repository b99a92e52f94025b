namespace RawPush.Conformance.Tests.Http;

/// <summary>2. Host (RFC 9112, section 3.2; RFC 9110, section 7.2; RFC 3986, section 3.2.2).</summary>
internal static class HostCases
{
    public static IEnumerable<HeadCase> All => [.. Presence, .. GoodValues, .. BadValues, .. BadAddresses];

    private static HeadCase[] Presence =>
    [
        HeadCase.OfHost("2.1.1", "9112, 3.2", "HTTP/1.1 without Host is refused", string.Empty, 400),
        new("2.1.2", "9112, 3.2", "HTTP/1.0 needs no Host", (target, fields) => $"GET {target} HTTP/1.0\r\n{fields}\r\n"),
        HeadCase.OfHost("2.1.3", "9112, 3.2", "A second Host is refused, though it says the same", "Host: h\r\nHost: h\r\n", 400),
        HeadCase.OfHost("2.1.4", "9112, 3.2", "A second Host is refused", "Host: h\r\nHost: other\r\n", 400),
        HeadCase.OfHost("2.1.5", "9110, 5.1", "A second Host is one in any case", "Host: h\r\nhOST: h\r\n", 400),
        HeadCase.OfHost("2.1.6", "9112, 3.2", "A second Host is refused also if it is empty", "Host: h\r\nHost:\r\n", 400),
        new("2.1.7", "9112, 3.2", "A second Host is refused in HTTP/1.0 as well", (target, fields) => $"GET {target} HTTP/1.0\r\nHost: h\r\nHost: h\r\n{fields}\r\n", 400),
        new("2.1.8", "9112, 3.2", "A second Host is refused wherever it stands", (target, fields) => $"GET {target} HTTP/1.1\r\nHost: h\r\n{fields}Host: other\r\n\r\n", 400),
        new("2.1.9", "9112, 3.2", "A Host may stand behind other fields", (target, fields) => $"GET {target} HTTP/1.1\r\n{fields}Host: h\r\n\r\n"),
        new("2.1.10", "9112, 3.2", "The absolute-form does not make up for a missing Host", (target, fields) => $"GET http://h{target} HTTP/1.1\r\n{fields}\r\n", 400),
    ];

    private static HeadCase[] GoodValues =>
    [
        HeadCase.OfHost("2.2.1", "9110, 7.2", "A port may follow the host", "Host: h:8080\r\n"),
        HeadCase.OfHost("2.2.2", "3986, 3.2.3", "A port may be empty", "Host: h:\r\n"),
        HeadCase.OfHost("2.2.3", "3986, 3.2.2", "An IPv4 address is a host", "Host: 127.0.0.1:80\r\n"),
        HeadCase.OfHost("2.2.4", "3986, 3.2.2", "An IPv6 address stands in brackets", "Host: [::1]\r\n"),
        HeadCase.OfHost("2.2.5", "3986, 3.2.2", "A port may follow an IPv6 address", "Host: [2001:db8::ff00:42:8329]:443\r\n"),
        HeadCase.OfHost("2.2.6", "3986, 3.2.2", "An IPv6 address may end as IPv4", "Host: [::ffff:192.0.2.1]\r\n"),
        HeadCase.OfHost("2.2.7", "3986, 3.2.2", "A name may hold hyphens, dots, underscores and tildes", "Host: a-b.c_d~e.example\r\n"),
        HeadCase.OfHost("2.2.8", "9110, 5.5", "White space around the value does not belong to it", "Host: \t h \t \r\n"),
        HeadCase.OfHost("2.2.9", "9110, 5.1", "The name of the field has no case", "hOsT: h\r\n"),
        HeadCase.OfHost("2.2.10", "3986, 3.2.2", "A name may end with a dot", "Host: example.com.\r\n"),
    ];

    private static HeadCase[] BadValues =>
    [
        HeadCase.OfHost("2.3.1", "9112, 3.2", "A host holds no space", "Host: a b\r\n", 400),
        HeadCase.OfHost("2.3.2", "9112, 3.2", "A host holds no tab", "Host: a\tb\r\n", 400),
        HeadCase.OfHost("2.3.3", "9110, 5.3", "Two hosts that were folded into one are refused", "Host: a, b\r\n", 400),
        HeadCase.OfHost("2.3.4", "9112, 3.2", "A host holds no slash", "Host: h/x\r\n", 400),
        HeadCase.OfHost("2.3.5", "9112, 3.2", "A host holds no question mark", "Host: h?x\r\n", 400),
        HeadCase.OfHost("2.3.6", "9112, 3.2", "A host holds no number sign", "Host: h#x\r\n", 400),
        HeadCase.OfHost("2.3.7", "9110, 4.2.4", "User information is no part of Host", "Host: user@h\r\n", 400),
        HeadCase.OfHost("2.3.8", "9112, 3.2", "A host holds no backslash", "Host: h\\x\r\n", 400),
        HeadCase.OfHost("2.3.9", "9112, 3.2", "A host holds no angle brackets", "Host: <h>\r\n", 400),
        HeadCase.OfHost("2.3.10", "9112, 3.2", "A host holds no quotes", "Host: \"h\"\r\n", 400),
        HeadCase.OfHost("2.3.11", "9112, 3.2", "A host holds no byte beyond ASCII", "Host: \u00E9\r\n", 400),
        HeadCase.OfHost("2.3.12", "9110, 5.5", "A host holds no NUL", "Host: a\0b\r\n", 400),
        HeadCase.OfHost("2.3.13", "9110, 4.2.1", "A port without a host is none", "Host: :80\r\n", 400),
        HeadCase.OfHost("2.3.14", "3986, 3.2.3", "A port is made of digits", "Host: h:http\r\n", 400),
        HeadCase.OfHost("2.3.15", "3986, 3.2.3", "A port has no sign", "Host: h:-1\r\n", 400),
        HeadCase.OfHost("2.3.16", "3986, 3.2.3", "There is one port", "Host: h:80:80\r\n", 400),
        HeadCase.OfHost("2.3.17", "3986, 2.1", "Percent-encoding in a host is whole", "Host: h%2\r\n", 400),
        HeadCase.OfHost("2.3.18", "3986, 2.1", "Percent-encoding in a host is hexadecimal", "Host: h%zz\r\n", 400),
        HeadCase.OfHost("2.3.19", "9110, 7.2", "A URI is no host", "Host: http://h\r\n", 400),
        HeadCase.OfHost("2.3.20", "9112, 5.1", "No space stands between Host and its colon", "Host : h\r\n", 400),
        HeadCase.OfHost("2.3.21", "9112, 5.2", "A Host is not folded", "Host:\r\n h\r\n", 400),
        HeadCase.OfHost("2.3.22", "9112, 2.2", "A Host does not end with a bare LF", "Host: h\n", 400),
    ];

    private static HeadCase[] BadAddresses =>
    [
        HeadCase.OfHost("2.4.1", "3986, 3.2.2", "An IPv6 address stands in brackets and not without", "Host: ::1\r\n", 400),
        HeadCase.OfHost("2.4.2", "3986, 3.2.2", "Brackets are closed", "Host: [::1\r\n", 400),
        HeadCase.OfHost("2.4.3", "3986, 3.2.2", "Brackets are opened", "Host: ::1]\r\n", 400),
        HeadCase.OfHost("2.4.4", "3986, 3.2.2", "Brackets hold something", "Host: []\r\n", 400),
        HeadCase.OfHost("2.4.5", "3986, 3.2.2", "Nothing but a port follows the brackets", "Host: [::1]x\r\n", 400),
        HeadCase.OfHost("2.4.6", "3986, 3.2.2", "An address is hexadecimal", "Host: [::g]\r\n", 400),
        HeadCase.OfHost("2.4.7", "3986, 3.2.2", "An IPv4 address has no brackets", "Host: [127.0.0.1]\r\n", 400),
        HeadCase.OfHost("2.4.8", "3986, 3.2.2", "An address has eight groups", "Host: [1:2:3:4:5:6:7:8:9]\r\n", 400),
        HeadCase.OfHost("2.4.9", "3986, 3.2.2", "An address has eight groups and no fewer", "Host: [1:2:3]\r\n", 400),
        HeadCase.OfHost("2.4.10", "3986, 3.2.2", "Zeros are left out once", "Host: [1::2::3]\r\n", 400),
        HeadCase.OfHost("2.4.11", "3986, 3.2.2", "A group has four digits", "Host: [::12345]\r\n", 400),
        HeadCase.OfHost("2.4.12", "3986, 3.2.2", "Colons alone are no address", "Host: [:::]\r\n", 400),
        HeadCase.OfHost("2.4.13", "6874, 2", "A zone means nothing to another machine", "Host: [fe80::1%25eth0]\r\n", 400),
        HeadCase.OfHost("2.4.14", "3986, 3.2.2", "No future kind of address is known", "Host: [v1.x]\r\n", 400),
    ];
}
