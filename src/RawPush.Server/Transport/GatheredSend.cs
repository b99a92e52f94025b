using System.Runtime.InteropServices;

namespace RawPush.Server.Transport;

/// <summary>Sends several encoded entries in one system call, from where they lie. One per loop, used by it alone.</summary>
/// <remarks>The pins are made once and pointed at other arrays for each call: making a handle per array costs as much as copying a small message.</remarks>
internal sealed unsafe class GatheredSend : IDisposable
{
    private readonly GCHandle[] _pins;
    private readonly IoVector* _vectors;

    /// <param name="formsMax">The most arrays that one call sends.</param>
    public GatheredSend(int formsMax)
    {
        _pins = new GCHandle[formsMax];
        for (int i = 0; i < formsMax; i++)
        {
            _pins[i] = GCHandle.Alloc(null, GCHandleType.Pinned);
        }

        _vectors = (IoVector*)NativeMemory.Alloc((nuint)formsMax, (nuint)sizeof(IoVector));
    }

    /// <summary>Sends as many bytes as the kernel takes, and says how many; below zero it is −errno.</summary>
    public int Send(int socket, ReadOnlySpan<byte[]> forms)
    {
        for (int i = 0; i < forms.Length; i++)
        {
            _pins[i].Target = forms[i];
            _vectors[i] = new IoVector { Start = (byte*)_pins[i].AddrOfPinnedObject(), Length = (nuint)forms[i].Length };
        }

        int sent = Libc.Send(socket, _vectors, forms.Length);
        for (int i = 0; i < forms.Length; i++)
        {
            _pins[i].Target = null;
        }

        return sent;
    }

    public void Dispose()
    {
        foreach (var pin in _pins)
        {
            pin.Free();
        }

        NativeMemory.Free(_vectors);
    }
}
