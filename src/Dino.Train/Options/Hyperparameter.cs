using System.Globalization;
using Dino.Pictures.Transforms;

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

/// <summary>One hyperparameter of a run: its option, where it stands in <see cref="TrainOptions"/>, and what it may be.</summary>
public abstract class Hyperparameter
{
    private protected Hyperparameter(string option, string description) => (Option, Description) = (option, description);

    /// <summary>The option, <c>--lr</c>.</summary>
    public string Option { get; }

    /// <summary>What it is, in a sentence.</summary>
    public string Description { get; }

    /// <summary>The numbers that it may be; null for what is no number.</summary>
    public Limits? Limits { get; init; }

    /// <summary>The words that it may be; null for what is no word.</summary>
    public IReadOnlyList<string>? Choices { get; init; }

    /// <summary>The numbers in it.</summary>
    public abstract IReadOnlyList<double> Numbers(TrainOptions options);

    /// <summary>The value as it is typed.</summary>
    public abstract string Text(TrainOptions options);

    /// <summary>Checks the value by itself.</summary>
    /// <exception cref="ArgumentException">It is outside <see cref="Limits"/>; the message names the option.</exception>
    public void Check(TrainOptions options)
    {
        if (Limits is { } limits && Numbers(options).Any(number => !limits.Contains(number)))
            throw new ArgumentException($"{Option} must be {limits}, not {Text(options)} ({Description.TrimEnd('.')}).");
    }

    /// <summary>A line about a value that may be and is hardly meant; null when there is none.</summary>
    public string? Warning(TrainOptions options) =>
        Numbers(options).Select(number => Limits?.Strange(number)).FirstOrDefault(strange => strange is not null) is { } reason
            ? $"{Option} {Text(options)} {reason}" : null;
}

/// <summary>A hyperparameter of a type.</summary>
/// <typeparam name="T">The type of its value.</typeparam>
public sealed class Hyperparameter<T> : Hyperparameter
{
    private readonly Func<TrainOptions, T> get;
    private readonly Func<TrainOptions, T, TrainOptions> set;

    internal Hyperparameter(string option, string description, Func<TrainOptions, T> get, Func<TrainOptions, T, TrainOptions> set)
        : base(option, description) => (this.get, this.set) = (get, set);

    /// <summary>The value.</summary>
    public T Get(TrainOptions options) => get(options);

    /// <summary>The options with another value.</summary>
    public TrainOptions With(TrainOptions options, T value) => set(options, value);

    /// <inheritdoc/>
    public override IReadOnlyList<double> Numbers(TrainOptions options) => get(options) switch
    {
        CropScale scale => [scale.Low, scale.High],
        string or bool or Enum => [],
        // As it is typed: 0.1f is 0.1.
        float number => [double.Parse(number.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)],
        var number => [Convert.ToDouble(number, CultureInfo.InvariantCulture)],
    };

    /// <inheritdoc/>
    public override string Text(TrainOptions options) => get(options) switch
    {
        CropScale scale => FormattableString.Invariant($"{scale.Low} {scale.High}"),
        bool flag => flag ? "yes" : "no",
        var value => Convert.ToString(value, CultureInfo.InvariantCulture)!.ToLowerInvariant(),
    };
}
