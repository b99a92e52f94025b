namespace RawPush.Fuzz;

/// <summary>A piece of the product and what is known of it for every input.</summary>
internal interface IFuzzTarget
{
    /// <summary>What the command line and the folder of its corpus call it.</summary>
    string Name { get; }

    /// <summary>Gives the input to the product and compares. Any exception is a finding.</summary>
    /// <param name="input">Any bytes at all; each target says how it reads them.</param>
    void Run(byte[] input);
}
