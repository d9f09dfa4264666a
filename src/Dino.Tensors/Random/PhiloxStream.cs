namespace Dino.Tensors.Random;

/// <summary>
/// A sequence of random numbers on the host, named by a seed and three words (for instance epoch, sample, crop):
/// equal names give equal sequences, different names give independent ones.
/// </summary>
/// <remarks>A mutable struct: pass it by <see langword="ref"/> to let a callee advance it.</remarks>
public struct PhiloxStream
{
    private readonly uint key0, key1, stream0, stream1, stream2;
    private uint block;
    private int used;
    private (uint X0, uint X1, uint X2, uint X3) words;

    /// <summary>Starts the sequence of the given seed and stream at its first number.</summary>
    public PhiloxStream(ulong seed, uint stream0 = 0, uint stream1 = 0, uint stream2 = 0)
    {
        (key0, key1) = ((uint)seed, (uint)(seed >> 32));
        (this.stream0, this.stream1, this.stream2) = (stream0, stream1, stream2);
        used = 4;
    }

    /// <summary>A uniform 32-bit word.</summary>
    public uint NextUInt()
    {
        if (used == 4)
        {
            words = Philox.Block(block++, stream0, stream1, stream2, key0, key1);
            used = 0;
        }
        return used++ switch { 0 => words.X0, 1 => words.X1, 2 => words.X2, _ => words.X3 };
    }

    /// <summary>A uniform number in [0, 1) with 53 random bits.</summary>
    public double NextDouble()
    {
        ulong high = NextUInt() >> 5, low = NextUInt() >> 6;
        return ((high << 26) | low) * (1.0 / (1ul << 53));
    }

    /// <summary>A uniform number in [<paramref name="low"/>, <paramref name="high"/>).</summary>
    public double Uniform(double low, double high) => low + (high - low) * NextDouble();

    /// <summary>A uniform integer in [0, <paramref name="n"/>), without bias; n must be positive.</summary>
    public int NextInt(int n)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(n);
        // 2³² is rarely a multiple of n: redraw the few words that would make some results likelier (Lemire 2019).
        uint surplus = (uint)(0x1_0000_0000ul % (uint)n);
        ulong product;
        do
            product = (ulong)NextUInt() * (uint)n;
        while ((uint)product < surplus);
        return (int)(product >> 32);
    }

    /// <summary>True with probability <paramref name="p"/>.</summary>
    public bool Bernoulli(double p) => NextDouble() < p;

    /// <summary>A number from the normal distribution (Box–Muller, the cosine branch).</summary>
    public double Normal(double mean = 0, double deviation = 1)
    {
        double radius = Math.Sqrt(-2 * Math.Log(1 - NextDouble())); // 1 − u is never 0
        return mean + deviation * radius * Math.Cos(2 * Math.PI * NextDouble());
    }

    /// <summary>Puts the values into a uniformly random order (Fisher–Yates).</summary>
    public void Shuffle<T>(Span<T> values)
    {
        for (int i = values.Length - 1; i > 0; i--)
        {
            int j = NextInt(i + 1);
            (values[i], values[j]) = (values[j], values[i]);
        }
    }

    /// <summary>The integers 0 … n − 1 in a uniformly random order.</summary>
    public int[] Permutation(int n)
    {
        int[] order = [.. Enumerable.Range(0, n)];
        Shuffle(order.AsSpan());
        return order;
    }
}
