namespace Dino.Pictures.Decoding;

/// <summary>The eight EXIF orientations: where row 0 and column 0 of a stored picture belong (EXIF 2.3, tag 0x0112).</summary>
/// <param name="Value">1 … 8, the number in the file.</param>
internal readonly record struct Orientation(int Value)
{
    /// <summary>As stored: nothing is to be done.</summary>
    public static Orientation Upright { get; } = new(1);

    /// <summary>Whether the upright picture's rows are stored columns.</summary>
    public bool IsTransposed => Value is >= 5 and <= 8;

    /// <summary>Whether the upright picture's x runs against the stored direction.</summary>
    public bool AgainstX => Value is 2 or 3 or 6 or 7;

    /// <summary>Whether its y does.</summary>
    public bool AgainstY => Value is 3 or 4 or 7 or 8;
}
