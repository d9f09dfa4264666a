namespace Dino.Train.Options;

/// <summary>The numbers that something may be, and those among them that nobody means.</summary>
/// <param name="Least">The least.</param>
/// <param name="Most">The most; infinity for none.</param>
public sealed record Limits(double Least = double.NegativeInfinity, double Most = double.PositiveInfinity)
{
    /// <summary>Whether <see cref="Least"/> itself is left out.</summary>
    public bool IsAbove { get; init; }

    /// <summary>Whether <see cref="Most"/> itself is left out.</summary>
    public bool IsBelow { get; init; }

    /// <summary>What lies under it is allowed and strange.</summary>
    public double StrangeUnder { get; init; } = double.NegativeInfinity;

    /// <summary>What lies over it is allowed and strange.</summary>
    public double StrangeOver { get; init; } = double.PositiveInfinity;

    /// <summary>What is usual, to be said where a number is strange.</summary>
    public string Usual { get; init; } = "";

    /// <summary>1 and more.</summary>
    internal static Limits Count { get; } = new(1);

    /// <summary>0 and more.</summary>
    internal static Limits NotNegative { get; } = new(0);

    /// <summary>From 0 to 1.</summary>
    internal static Limits Share { get; } = new(0, 1);

    /// <summary>Whether a number may be.</summary>
    public bool Contains(double value) =>
        double.IsFinite(value) && (IsAbove ? value > Least : value >= Least) && (IsBelow ? value < Most : value <= Most);

    /// <summary>What is strange about a number that may be; null when nothing is.</summary>
    public string? Strange(double value) =>
        value > StrangeOver ? FormattableString.Invariant($"is above {StrangeOver}; {Usual}")
        : value < StrangeUnder ? FormattableString.Invariant($"is below {StrangeUnder}; {Usual}")
        : null;

    /// <summary>For instance: at least 1; above 0; between 0 and 1, 1 itself left out.</summary>
    public override string ToString()
    {
        if (double.IsNegativeInfinity(Least) && double.IsPositiveInfinity(Most))
            return "a number";
        if (double.IsPositiveInfinity(Most))
            return FormattableString.Invariant($"{(IsAbove ? "above" : "at least")} {Least}");
        return FormattableString.Invariant($"{(IsAbove ? "above" : "at least")} {Least} and {(IsBelow ? "below" : "at most")} {Most}");
    }
}
