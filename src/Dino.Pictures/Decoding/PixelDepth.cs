namespace Dino.Pictures.Decoding;

/// <summary>The numbers that a file stores its pixels in.</summary>
/// <param name="Bits">Bits of a value: 1 … 64.</param>
/// <param name="IsFloat">Whether they are floating-point numbers.</param>
/// <param name="IsSigned">Whether they are whole numbers with a sign.</param>
public readonly record struct PixelDepth(int Bits, bool IsFloat = false, bool IsSigned = false)
{
    /// <summary>Whole numbers of 8 bits.</summary>
    public static PixelDepth Bytes { get; } = new(8);

    /// <summary>From black to white where nothing else is said: all that the bits can hold; 0 … 1 of floating-point numbers.</summary>
    public ValueRange Full => IsFloat ? new(0, 1)
        : IsSigned ? new(-Math.Pow(2, Bits - 1), Math.Pow(2, Bits - 1) - 1) : new(0, Math.Pow(2, Bits) - 1);
}

/// <summary>The stored values that become black and white.</summary>
/// <param name="Low">Becomes 0, as all that is below.</param>
/// <param name="High">Becomes 1, as all that is above.</param>
public readonly record struct ValueRange(double Low, double High);
