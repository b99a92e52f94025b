using System.Diagnostics;
using RawPush.Swarm.Dialects;
using RawPush.Swarm.Resuming;
using RawPush.Swarm.Resuming.Reading;

namespace RawPush.Swarm.Clients;

/// <content>Clients that leave, come back on any transport and go on where they were.</content>
internal sealed partial class ClientLoop
{
    private readonly ReconnectHabits _habits;
    private readonly Verdict _verdict = new();
    private Fates? _fates;

    /// <summary>From now on, every connection lasts so long on average; 0: as long as the server lets it.</summary>
    public void ReconnectEvery(double seconds)
    {
        _habits.MeanSeconds = seconds;
        foreach (var client in _clients)
        {
            client.Resuming?.LeaveAt = _habits.NextLeave();
        }
    }

    /// <summary>From here on everything is published.</summary>
    public void BeginLoad()
    {
        foreach (var client in _clients)
        {
            client.Resuming?.BeginLoad();
        }
    }

    /// <summary>Something happens now that may keep messages from clients: how long it does is measured.</summary>
    public void Mark() => _deliveries.Mark();

    /// <summary>All has been published.</summary>
    public void End(Fates fates) => _fates = fates;

    private ResumingClient? NewResuming(int id)
    {
        if (_plan.Transports.Length == 0)
        {
            return null;
        }

        var coverage = Coverage.Of(_channels, id, _plan.ManyPercent);
        return new ResumingClient(id, coverage, _plan.Promise, _plan.MessageBytes, _filling, _plan.Compression ? _inflater : null, _deliveries, _verdict);
    }

    /// <summary>The counts; after the end, with what is still missing then.</summary>
    private Verdict VerdictSoFar()
    {
        var end = new Verdict { Losses = _plan.Promise == Promise.OneNode ? null : [] };
        if (_fates is not null)
        {
            foreach (var client in Readers)
            {
                client.Resuming!.AddEnd(_fates, end);
            }
        }

        return _verdict + end;
    }

    private int? CountBehind() => _fates is null ? null : Readers.Count(client => !client.Resuming!.HasReached(_fates));

    private byte[] RequestOf(SwarmClient client)
    {
        if (client.Resuming is { } resuming)
        {
            return resuming.Request(HostOf(client), TargetOf(resuming.Address), isLastEventId: _random.Next(2) == 0);
        }

        string channel = _channels.NameOf(client.Channel);
        return _dialect.Request(HostOf(client), TargetOf(channel), channel);
    }

    /// <summary>Any node; but where there are others, not the one that has just turned the client away.</summary>
    private int NextNode(SwarmClient client) => client.IsTurnedAway && _nodes.Length > 1
        ? (client.Node + 1 + _random.Next(_nodes.Length - 1)) % _nodes.Length
        : _random.Next(_nodes.Length);

    private static void PassPosition(SwarmClient client, ReadOnlySpan<byte> head)
    {
        if (client.Resuming is { } resuming && HttpHead.TryRead(head, out var fields))
        {
            resuming.BeginAt(fields.Field("RawPush-Position"u8));
        }
    }

    private bool IsFramed(SwarmClient client) => client.Resuming is { } resuming ? resuming.Transport == Transport.WebSocket : _dialect.IsFramed;

    private void BeginResuming(SwarmClient client)
    {
        client.Resuming?.CountOpen();
        client.Resuming?.LeaveAt = _habits.NextLeave();
    }

    private void TakeResuming(SwarmClient client, ResumingClient resuming, ReadOnlySpan<byte> bytes)
    {
        resuming.Take(bytes);
        if (resuming.Ping is { } ping)
        {
            resuming.Ping = null;
            Send(client, ClientFrame.Make(ClientFrame.Pong, ping));
        }

        if (client.Socket < 0)
        {
            return;
        }

        if (resuming.RefusedWith != 0)
        {
            Abandon(client, $"a poll was answered with {resuming.RefusedWith}");
        }
        else if (resuming.IsEnded)
        {
            CloseAfterServer(client);
        }
        else if (resuming.CutBytes > 0)
        {
            Leave(client, isReset: true);
        }
        else if (resuming.IsPolling && resuming.AnsweredMessages >= 0)
        {
            PollAgain(client, resuming);
        }
    }

    /// <summary>A long poll follows at once, and so does any behind a full answer; a short poll takes its time.</summary>
    private void PollAgain(SwarmClient client, ResumingClient resuming)
    {
        if (resuming.Transport == Transport.LongPoll || resuming.AnsweredMessages >= ResumeRequest.PollMessagesMax)
        {
            Send(client, RequestOf(client));
        }
        else if (resuming.AskAt == long.MaxValue)
        {
            double ms = _plan.PollEveryMs * (0.5 + _random.NextDouble());
            resuming.AskAt = Stopwatch.GetTimestamp() + (long)(ms * Stopwatch.Frequency / 1000);
        }
    }

    /// <summary>The server has ended a connection, in whatever way.</summary>
    private void CloseAfterServer(SwarmClient client)
    {
        _verdict.EndedByServer++;
        Close(client);
        ComeBackLater(client);
    }

    private void ComeBackLater(SwarmClient client)
    {
        if (client.Resuming is { } resuming)
        {
            client.ReopenAt = _habits.NextRetry(resuming.RetryMs);
            _toReopen.Add(client);
        }
    }

    private void TickResuming(long now)
    {
        if (_plan.Transports.Length == 0)
        {
            return;
        }

        foreach (var client in _clients)
        {
            if (client.State != ClientState.Open || client.Resuming is not { } resuming)
            {
                continue;
            }

            if (resuming.LeaveAt <= now && resuming.HasPosition)
            {
                BeginLeaving(client, resuming);
            }
            else if (resuming.AskAt <= now)
            {
                Send(client, RequestOf(client));
            }
        }
    }

    private void BeginLeaving(SwarmClient client, ResumingClient resuming)
    {
        resuming.LeaveAt = long.MaxValue;
        switch (_habits.NextWay())
        {
            case LeaveWay.MidMessage:
                resuming.CutBytes = _habits.NextCutBytes();
                break;
            case LeaveWay.Politely:
                // RFC 6455 section 7.4.1: 1000 is a normal closure.
                Send(client, resuming.Transport == Transport.WebSocket ? ClientFrame.Make(ClientFrame.Close, [3, 232]) : default);
                Leave(client, isReset: false);
                break;
            case var way:
                Leave(client, isReset: way == LeaveWay.Reset);
                break;
        }
    }

    private void Leave(SwarmClient client, bool isReset)
    {
        // Sending a farewell may have found that the connection is gone, and then the client's return is settled.
        if (client.Socket < 0)
        {
            return;
        }

        Close(client, isReset);
        client.ReopenAt = _habits.NextReturn();
        if (client.ReopenAt == 0)
        {
            _toOpen.Enqueue(client);
        }
        else
        {
            _toReopen.Add(client);
        }
    }
}
