using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using RawPush.Protocol.Proxy;
using RawPush.Server.Sessions;

namespace RawPush.Server.Connections;

/// <summary>A client behind a pair of pipes: Kestrel's sockets, TLS, a response of ASP.NET Core, or a test in memory.</summary>
/// <remarks>
/// Reads are awaited on any thread and handled on the shard. A flush that the pipe does not finish at once makes the transport blocked; its completion is
/// posted to the shard. At most one read and one flush are outstanding, which is what pipes allow.
/// </remarks>
internal sealed class PipeTransport : ClientTransport
{
    // What may be in the pipe before we ask whether the peer takes it. Kestrel's pipes push back at 64 KiB themselves.
    public const int UnflushedBytesMax = 64 * 1024;

    private readonly Action _cut;
    private PipeReader? _input;
    private PipeWriter? _output;
    private Action? _onFlushed;
    private Action? _afterFlush;
    private ValueTaskAwaiter<FlushResult> _flush;
    private ReadOnlyMemory<byte> _rest;
    private TaskCompletionSource? _resumed;
    private State _state;
    private long _unflushedBytes;
    private bool _isCorked;
    private bool _isReadingPaused;
    private bool _lingers;

    /// <summary>A transport without pipes. Call <see cref="Open"/> on the shard before anything else.</summary>
    /// <param name="loop">The loop that owns the connection from now on.</param>
    /// <param name="connectionId">Its name in the log.</param>
    /// <param name="cut">Ends the connection below the pipes. Safe to call at any time and from any thread.</param>
    public PipeTransport(ConnectionLoop loop, string connectionId, Action cut)
        : base(loop)
    {
        ConnectionId = connectionId;
        _cut = cut;
    }

    private enum State
    {
        Open,

        /// <summary>Our last words are written, or wait to be.</summary>
        Closing,

        /// <summary>Our half of the stream has ended.</summary>
        Closed,

        /// <summary>Nobody reads or writes here any more; the last bytes are on their way out, or the request went on to somebody else.</summary>
        Left,
    }

    public override string ConnectionId { get; }

    /// <summary>Who connected; null for a Unix socket.</summary>
    public HostAddress? Peer { get; set; }

    public PipeReader Input => _input!;

    /// <summary>While the request head is being read: its deadline has passed, or the server stops.</summary>
    public bool IsClosing => _state != State.Open;

    public override HostAddress? FindPeer() => Peer;

    /// <summary>Takes its place in the loop, with a deadline for the request head. Blocked until it is connected.</summary>
    public void Open()
    {
        Loop.Add(this);
        Block(isOpen: false);
        Loop.Timers.Schedule(this, Loop.NowMs + Loop.Timeouts.HandshakeMs);
    }

    /// <summary>A session that is not run yet: it has joined its channels, and its response is on its way.</summary>
    public void Attach(ClientSession session) => Session = session;

    /// <summary>Gives it the client's bytes, both ways.</summary>
    public void Connect(IDuplexPipe pipes)
    {
        _input = pipes.Input;
        _output = pipes.Output;
        IsBlocked = false;
    }

    /// <summary>Leaves the loop: somebody else has the pipes now.</summary>
    public void Leave()
    {
        _state = State.Left;
        Loop.Timers.Cancel(this);
        Loop.Remove(this);
    }

    /// <summary>Leaves the loop, and cuts the connection if the peer does not take its last bytes in time.</summary>
    public void LeaveUnderDeadline()
    {
        Leave();
        Loop.Timers.Schedule(this, Loop.NowMs + Loop.Timeouts.CloseMs);
    }

    /// <summary>Runs the session until the connection has ended. Begins and ends on the shard.</summary>
    public async Task RunAsync(ClientSession session)
    {
        Session = session;
        session.Start();
        OnUnblocked();
        try
        {
            await ReadToEndAsync();
        }
        finally
        {
            await Loop.Shard.SwitchTo();
            session.OnPeerClosed();
            session.OnClosed();
        }
    }

    /// <summary>Answers a request that gets no session, and ends. Begins and ends on the shard.</summary>
    /// <param name="response">The whole answer.</param>
    /// <param name="leavesBytes">There may be bytes of the request that were not read.</param>
    public Task RefuseAsync(ReadOnlySpan<byte> response, bool leavesBytes)
    {
        _state = State.Open;
        TryWrite(response, default);
        Close(lingers: leavesBytes);
        return ReadToEndAsync();
    }

    public override int Write(ReadOnlySpan<byte[]> forms)
    {
        if (_state != State.Open)
        {
            return forms.Length;
        }

        int taken = 0;
        while (taken < forms.Length && !IsBlocked && _state == State.Open)
        {
            byte[] form = forms[taken++];
            _rest = form.AsMemory(WriteUntilBlocked(form));
        }

        FlushUnlessCorked();
        return _state == State.Open ? taken : forms.Length;
    }

    public override bool TryWrite(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        if (_state != State.Open)
        {
            // It is over, and nobody will read this.
            return true;
        }

        if (IsBlocked)
        {
            return false;
        }

        Put(head);
        int written = WriteUntilBlocked(body);
        _rest = written < body.Length ? body[written..].ToArray() : default;
        FlushUnlessCorked();
        return true;
    }

    public override void PauseReading() => _isReadingPaused |= _state == State.Open;

    public override void ResumeReading()
    {
        _isReadingPaused = false;
        _resumed?.TrySetResult();
    }

    public override void Close(bool lingers, ReadOnlySpan<byte> lastWords = default)
    {
        if (_state != State.Open)
        {
            return;
        }

        if (!lastWords.IsEmpty && !TryWrite(lastWords, default))
        {
            _rest = (byte[])[.. _rest.Span, .. lastWords];
        }

        if (_state != State.Open)
        {
            // The last words found out that it is over.
            return;
        }

        _state = State.Closing;
        _lingers = lingers;
        Loop.Timers.Schedule(this, Loop.NowMs + (lingers ? Loop.Timeouts.LingerMs : Loop.Timeouts.CloseMs));
        if (!IsBlocked)
        {
            EndOutput();
        }
    }

    public override void Drain()
    {
        if (Session is null)
        {
            EndHandshake();
        }
        else
        {
            Session.Drain();
        }
    }

    public override void Abort()
    {
        if (_state == State.Left)
        {
            // Somebody else has the pipes, and the request behind them may be over.
            return;
        }

        _state = State.Closed;
        _cut();
        EndReading();
    }

    protected internal override void OnTimer(long nowMs)
    {
        if (_state == State.Open)
        {
            OnOpenTimer(nowMs);
        }
        else if (_state == State.Closed && _lingers)
        {
            EndReading();
        }
        else if (_state == State.Left)
        {
            _cut();
        }
        else
        {
            Abort();
        }
    }

    /// <summary>It is how Kestrel's sockets, TLS and streams say that the peer has reset, has gone, or that we have cut: not worth telling apart. A socket's error other than a reset comes as it is.</summary>
    public static bool IsOfTheEdge(Exception exception) => exception is IOException or SocketException or OperationCanceledException or ObjectDisposedException;

    private void OnOpenTimer(long nowMs)
    {
        if (Session is null)
        {
            EndHandshake();
        }
        else
        {
            Session.OnTimer(nowMs);
        }
    }

    private void EndHandshake()
    {
        // Whoever reads the head answers, if there is something to answer.
        _state = State.Closing;
        _input?.CancelPendingRead();
    }

    private async Task ReadToEndAsync()
    {
        try
        {
            while (await ReadOnceAsync())
            {
                if (_isReadingPaused)
                {
                    await ResumedAsync();
                }
            }
        }
        catch (Exception exception) when (IsOfTheEdge(exception) || exception is InvalidOperationException)
        {
            // It is over. The second is a pipe that its other owner has completed.
        }

        await Loop.Shard.SwitchTo();
    }

    /// <summary>Reads once and gives the bytes to the session, on the shard. False: the stream has ended, or is not read any more.</summary>
    private async ValueTask<bool> ReadOnceAsync()
    {
        var result = await _input!.ReadAsync();
        await Loop.Shard.SwitchTo();
        var consumed = Feed(result.Buffer);
        _input.AdvanceTo(consumed, _isReadingPaused ? consumed : result.Buffer.End);
        bool isOver = result.IsCompleted && !_isReadingPaused;
        return !isOver && (_state != State.Closed || _lingers) && !(result.IsCanceled && _state != State.Open);
    }

    private SequencePosition Feed(ReadOnlySequence<byte> buffer)
    {
        _isCorked = true;
        long consumed = 0;
        foreach (var segment in buffer)
        {
            // The bytes are ours until we advance, and unmasking them in place saves a copy.
            int taken = Session?.OnReceived(MemoryMarshal.AsMemory(segment).Span) ?? segment.Length;
            consumed += taken;
            _isReadingPaused |= taken < segment.Length;
            if (_isReadingPaused)
            {
                break;
            }
        }

        _isCorked = false;
        FlushUnlessCorked();
        return buffer.GetPosition(consumed);
    }

    private async Task ResumedAsync()
    {
        _resumed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_isReadingPaused)
        {
            await _resumed.Task;
            await Loop.Shard.SwitchTo();
        }

        _resumed = null;
    }

    /// <summary>Writes in pieces, with a flush between them, so that a peer which takes a long message slowly is seen to take it.</summary>
    /// <returns>The bytes written; the rest goes on when the flush has ended.</returns>
    private int WriteUntilBlocked(ReadOnlySpan<byte> bytes)
    {
        int written = 0;
        while (written < bytes.Length && !IsBlocked && _state != State.Closed)
        {
            var piece = bytes.Slice(written, Math.Min(bytes.Length - written, UnflushedBytesMax));
            Put(piece);
            written += piece.Length;
            if (_unflushedBytes >= UnflushedBytesMax)
            {
                Flush();
            }
        }

        return written;
    }

    /// <summary>Writes into the pipe, and cuts the connection if that has gone: completed by its other owner, or the output of a request that Kestrel has ended without telling us yet,
    /// which then has no room of any size.</summary>
    /// <remarks>Here and where it is flushed and completed nothing but the pipe can throw, whatever its owner likes, and above there may be nobody but the shard: all of it is caught.</remarks>
    private void Put(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _output!.Write(bytes);
            _unflushedBytes += bytes.Length;
        }
        catch (Exception)
        {
            Abort();
        }
    }

    private void FlushUnlessCorked()
    {
        if (!IsBlocked && (!_isCorked || _unflushedBytes >= UnflushedBytesMax))
        {
            Flush();
        }
    }

    private void Flush()
    {
        if (_unflushedBytes == 0 || _state == State.Closed)
        {
            return;
        }

        _unflushedBytes = 0;
        if (!TryBeginFlush())
        {
            return;
        }

        if (_flush.IsCompleted)
        {
            ObserveFlush();
            return;
        }

        Block(isOpen: _state == State.Open);
        _flush.UnsafeOnCompleted(_onFlushed ??= PostAfterFlush);
    }

    private bool TryBeginFlush()
    {
        try
        {
#pragma warning disable CA2012 // The result is taken exactly once: at once in Flush, or in AfterFlush. An await would need a state machine per flush.
            _flush = _output!.FlushAsync().GetAwaiter();
#pragma warning restore CA2012
            return true;
        }
        catch (Exception)
        {
            // A pipe throws at once what its reader was completed with.
            Abort();
            return false;
        }
    }

    private void PostAfterFlush() => Loop.Shard.Post(_afterFlush ??= AfterFlush);

    private void ObserveFlush()
    {
        try
        {
            if (_flush.GetResult().IsCompleted)
            {
                Abort();
            }
        }
        catch (Exception)
        {
            Abort();
        }
    }

    private void AfterFlush()
    {
        IsBlocked = false;
        ObserveFlush();
        if (_state is State.Closed or State.Left)
        {
            return;
        }

        var rest = _rest;
        _rest = rest[WriteUntilBlocked(rest.Span)..];
        FlushUnlessCorked();
        if (!IsBlocked)
        {
            OnUnblocked();
        }
    }

    private void OnUnblocked()
    {
        if (_state == State.Closing)
        {
            EndOutput();
        }
        else if (_state == State.Open)
        {
            Session?.OnWritable();
        }
    }

    private void EndOutput()
    {
        Flush();
        if (IsBlocked || _state == State.Closed)
        {
            return;
        }

        _state = State.Closed;
        if (!_lingers)
        {
            // Not while we linger: Kestrel knows no half-closed sockets, and completing the output closes both ways, over unread bytes.
            TryComplete();
            EndReading();
        }
    }

    private void TryComplete()
    {
        try
        {
            _output!.Complete();
        }
        catch (Exception)
        {
            _cut();
        }
    }

    private void EndReading()
    {
        _lingers = false;
        _input?.CancelPendingRead();
        ResumeReading();
    }
}
