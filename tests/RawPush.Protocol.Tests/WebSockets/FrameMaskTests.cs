using RawPush.Protocol.WebSockets;
using RawPush.TestKit;

namespace RawPush.Protocol.Tests.WebSockets;

public class FrameMaskTests
{
    [Fact]
    public void Masking_is_the_scalar_definition_at_every_offset_and_length()
    {
        byte[] bytes = new byte[201];
        new Random(6455).NextBytes(bytes);
        for (int offset = 0; offset < 8; offset++)
        {
            for (int length = 0; length <= 200; length++)
            {
                // From the second byte on, so that vectors are not aligned either.
                var payload = bytes.AsSpan(1, length).ToArray();
                FrameMask.Apply(payload, ClientFrames.SampleMaskKey, offset);
                Assert.Equal(ClientFrames.Mask(bytes.AsSpan(1, length), ClientFrames.SampleMaskKey, offset), payload);
            }
        }
    }

    [Fact]
    public void Bytes_around_the_payload_stay_as_they_were()
    {
        for (int length = 0; length <= 200; length++)
        {
            var bytes = new byte[length + 2];
            FrameMask.Apply(bytes.AsSpan(1, length), uint.MaxValue, 0);
            Assert.Equal(0, bytes[0]);
            Assert.Equal(0, bytes[^1]);
            Assert.DoesNotContain((byte)0, bytes[1..^1]);
        }
    }

    [Fact]
    public void A_payload_masked_in_two_pieces_is_the_payload_masked_at_once()
    {
        byte[] bytes = new byte[200];
        new Random(6455).NextBytes(bytes);
        byte[] whole = ClientFrames.Mask(bytes, ClientFrames.SampleMaskKey);
        for (int cut = 0; cut <= bytes.Length; cut++)
        {
            var pieces = bytes.ToArray();
            FrameMask.Apply(pieces.AsSpan(0, cut), ClientFrames.SampleMaskKey, 0);
            FrameMask.Apply(pieces.AsSpan(cut), ClientFrames.SampleMaskKey, cut);
            Assert.Equal(whole, pieces);
        }
    }

    [Fact]
    public void The_sample_of_the_rfc_is_unmasked()
    {
        // Section 5.7: a single-frame masked text message that contains "Hello".
        byte[] payload = [0x7F, 0x9F, 0x4D, 0x51, 0x58];
        FrameMask.Apply(payload, 0x3D21FA37, 0);
        Assert.Equal("Hello"u8, payload);
    }
}
