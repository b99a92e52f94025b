using System.Buffers;
using RawPush.Protocol;
using RawPush.Server.Connections;
using RawPush.Server.Requests;

namespace RawPush.Server.Transport;

/// <summary>Reads a request head from a socket. Its bytes stay in the kernel until they are known to be ours, so that a foreign connection goes on untouched.</summary>
/// <remarks>One that is ours and not whole is taken out of the kernel, which need not have room for all of it.</remarks>
internal sealed class SocketHead(FrontDoor door)
{
    private readonly Handshake _handshake = door.NewHandshake();
    private PooledBuffer _taken;

    public PushRequest Request => _handshake.Request;

    /// <summary>Nothing of a head has come.</summary>
    public bool IsEmpty { get; private set; } = true;

    public Refusal Refusal => _handshake.Refusal;

    /// <summary>The method is HEAD: an answer has no body.</summary>
    public bool IsHead => _handshake.IsHead;

    /// <summary>Looks at what has come.</summary>
    /// <param name="socket">Where.</param>
    /// <param name="buffer">The loop's; used during the call.</param>
    /// <param name="hasPeerClosed">The stream ends behind what is there.</param>
    /// <param name="isReadable">Set if there may be more to read without another event.</param>
    public HeadVerdict Read(int socket, byte[] buffer, bool hasPeerClosed, ref bool isReadable)
    {
        bool isTaking = _taken.Length > 0;
        int count = isTaking ? Libc.Receive(socket, buffer) : Libc.Peek(socket, buffer);
        if (count == Libc.TryAgain)
        {
            return HeadVerdict.NeedMore;
        }

        if (count <= 0)
        {
            return HeadVerdict.Gone;
        }

        IsEmpty = false;
        return isTaking ? JudgeTaken(buffer, count, ref isReadable) : JudgeSeen(socket, buffer, count, hasPeerClosed, ref isReadable);
    }

    /// <summary>What was taken from the kernel and stands behind the head.</summary>
    public byte[] TakeBytesBehind() => _taken.Length > 0 ? _taken.Written[_handshake.HeadBytes..].ToArray() : [];

    /// <summary>Drops what has come of a head that is given up. False: nothing had come.</summary>
    public bool DropBytes(int socket, byte[] buffer) => Libc.Receive(socket, buffer) > 0 || _taken.Length > 0;

    /// <summary>As new, for another connection.</summary>
    public void Reset()
    {
        _handshake.Reset();
        IsEmpty = true;
        _taken.Release();
    }

    private HeadVerdict JudgeSeen(int socket, byte[] buffer, int count, bool hasPeerClosed, ref bool isReadable)
    {
        var verdict = _handshake.Judge(new ReadOnlySequence<byte>(buffer, 0, count), isEnd: hasPeerClosed && count < buffer.Length);
        if (verdict == HeadVerdict.Foreign || (verdict == HeadVerdict.NeedMore && !_handshake.IsOurs))
        {
            return verdict;
        }

        // The same bytes again, and this time they are taken: of a whole head not a byte more, of any other all.
        count = Libc.Receive(socket, buffer.AsSpan(0, verdict == HeadVerdict.Ours ? _handshake.HeadBytes : count));
        if (verdict == HeadVerdict.NeedMore)
        {
            _taken.Append(buffer.AsSpan(0, count));
            isReadable = true;
        }

        return verdict;
    }

    private HeadVerdict JudgeTaken(byte[] buffer, int count, ref bool isReadable)
    {
        _taken.Append(buffer.AsSpan(0, count));
        isReadable = true;
        return _handshake.Judge(new ReadOnlySequence<byte>(_taken.WrittenMemory), isEnd: false);
    }
}
