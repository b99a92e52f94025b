namespace RawPush.Swarm.Clients;

/// <summary>Checks that each client gets each message of its channel once and in order, from every publisher.</summary>
internal sealed class TruthKeeper(int publishers)
{
    /// <summary>The first lie; null while all is true.</summary>
    public string? Lie { get; private set; }

    // What a client that came back knows of a publisher until it sees a message of it: nothing, so the first one is taken as it is.
    private const uint Unknown = uint.MaxValue;

    /// <summary>A client's first connection begins before the load does, so the first message it may see is number 1.</summary>
    public void Begin(SwarmClient client)
    {
        if (client.LastNumbers is null)
        {
            client.LastNumbers = new uint[publishers];
        }
        else
        {
            Array.Fill(client.LastNumbers, Unknown);
        }
    }

    public void Check(SwarmClient client, in Payload payload)
    {
        if (payload.Channel != client.Channel)
        {
            Tell($"client {client.Id} of channel {client.Channel} got message {payload.Number} of channel {payload.Channel}");
            return;
        }

        ref uint last = ref client.LastNumbers![payload.Publisher];
        if (payload.Number == last + 1 || last == Unknown)
        {
            last = payload.Number;
        }
        else
        {
            string what = payload.Number > last ? "lost" : payload.Number == last ? "was sent twice" : "came out of order";
            uint which = payload.Number > last ? last + 1 : payload.Number;
            Tell($"channel {client.Channel}, publisher {payload.Publisher}: message {which} {what} at client {client.Id} (got {payload.Number} after {last})");
        }
    }

    /// <summary>All has been published and delivered: everybody must have come to the end.</summary>
    /// <param name="clients">Those that are not slow.</param>
    /// <param name="published">How many messages each publisher has published.</param>
    /// <param name="channels">Messages went to channels in turn.</param>
    public void CheckEnd(IEnumerable<SwarmClient> clients, long[] published, int channels)
    {
        foreach (var client in clients)
        {
            for (int publisher = 0; publisher < published.Length; publisher++)
            {
                uint expected = (uint)((published[publisher] - client.Channel + channels - 1) / channels);
                uint last = client.State == ClientState.Open ? client.LastNumbers![publisher] : 0;
                if (last != expected)
                {
                    Tell($"channel {client.Channel}, publisher {publisher}: client {client.Id} came to message {last} of {expected}");
                }
            }
        }
    }

    private void Tell(string lie) => Lie ??= lie;
}
