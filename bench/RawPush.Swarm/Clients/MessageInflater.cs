using System.IO.Compression;

namespace RawPush.Swarm.Clients;

/// <summary>Inflates messages of permessage-deflate, each for itself (RFC 7692 section 7.2.2). One thread at a time.</summary>
internal sealed class MessageInflater
{
    // What stands between the data of a flush and that of the next one, and is left out on the wire.
    private static readonly byte[] Tail = [0, 0, 0xFF, 0xFF];

    private byte[] _input = new byte[1024];
    private byte[] _output = new byte[4096];

    /// <summary>Messages inflated so far.</summary>
    public long Messages { get; private set; }

    /// <summary>The message, which stays as it is until the next call; false for what is not deflated data or is longer than a message may be.</summary>
    public bool TryInflate(ReadOnlySpan<byte> payload, int messageBytesMax, out ReadOnlySpan<byte> message)
    {
        int inputLength = payload.Length + Tail.Length;
        Array.Resize(ref _input, Math.Max(_input.Length, inputLength));
        payload.CopyTo(_input);
        Tail.CopyTo(_input, payload.Length);
        int length = Inflate(inputLength, messageBytesMax);
        message = _output.AsSpan(0, Math.Max(length, 0));
        Messages += length >= 0 ? 1 : 0;
        return length >= 0;
    }

    public void ResetCount() => Messages = 0;

    /// <summary>Returns the message's length, or −1.</summary>
    private int Inflate(int inputLength, int messageBytesMax)
    {
        using var inflate = new DeflateStream(new MemoryStream(_input, 0, inputLength), CompressionMode.Decompress);
        int length = 0;
        try
        {
            for (int count; (count = inflate.Read(_output, length, _output.Length - length)) > 0;)
            {
                length += count;
                if (length > messageBytesMax)
                {
                    return -1;
                }

                Array.Resize(ref _output, length == _output.Length ? 2 * length : _output.Length);
            }
        }
        catch (InvalidDataException)
        {
            return -1;
        }

        return length;
    }
}
