using System.Globalization;
using Dino.Pictures.Transforms;

namespace Dino.Train.Options;

/// <summary>
/// One hyperparameter of a run: the property of its <see cref="TrainOptions"/> that holds it, and what it may be. A method declares its own
/// beside the record of its options.
/// </summary>
/// <remarks>
/// Messages of this library name a property in backticks, <c>`Head.OutDim`</c>; a program puts its own names there, such as
/// <c>--out-dim</c>.
/// </remarks>
public abstract class Hyperparameter
{
    private protected Hyperparameter(string property, string description) => (Property, Description) = (property, description);

    /// <summary>The property, from the run's options on: <c>Lr</c>, <c>Head.OutDim</c>.</summary>
    public string Property { get; }

    /// <summary>What it is, in a sentence.</summary>
    public string Description { get; }

    /// <summary>The numbers that it may be; null for what is no number.</summary>
    public Limits? Limits { get; init; }

    /// <summary>
    /// The properties of the options that it sets, where they are others than <see cref="Property"/>: a number of each view of a picture is
    /// one hyperparameter. A difference in one of them is told as one of it.
    /// </summary>
    public IReadOnlyList<string> Parts { get; init; } = [];

    /// <summary>How many numbers may be given where they are a list, fewest first; empty for what is none.</summary>
    public IReadOnlyList<int> Counts { get; init; } = [];

    /// <summary>The words that it may be; null for what is no word.</summary>
    public IReadOnlyList<string>? Choices { get; init; }

    /// <summary>Whether some options have it: the sizes of a kind of network are those of that kind alone.</summary>
    public Func<TrainOptions, bool> Applies { get; init; } = _ => true;

    /// <summary>The numbers in it.</summary>
    public abstract IReadOnlyList<double> Numbers(TrainOptions options);

    /// <summary>The value as it is typed.</summary>
    public abstract string Text(TrainOptions options);

    /// <summary>Checks the value by itself.</summary>
    /// <exception cref="HyperparameterException">It is outside <see cref="Limits"/>; the message names the property.</exception>
    public void Check(TrainOptions options)
    {
        if (Limits is { } limits && Applies(options) && Numbers(options).Any(number => !limits.Contains(number)))
        {
            throw new HyperparameterException(
                Property, $"`{Property}` must be {limits}, not {Text(options)} ({Description.TrimEnd('.')}).");
        }
    }

    /// <summary>Checks how many numbers are given.</summary>
    /// <exception cref="HyperparameterException">They are not one of <see cref="Counts"/>.</exception>
    public void CheckCount(int count)
    {
        if (Counts.Count > 0 && !Counts.Contains(count))
        {
            string counts = string.Join(" or ", Counts);
            throw new HyperparameterException(Property, $"`{Property}` takes {counts} numbers, not {count} ({Description.TrimEnd('.')}).");
        }
    }

    /// <summary>A line about a value that may be and is hardly meant; null when there is none.</summary>
    public string? Warning(TrainOptions options)
    {
        if (Limits is null || !Applies(options))
            return null;
        string? reason = Numbers(options).Select(Limits.Strange).FirstOrDefault(strange => strange is not null);
        return reason is null ? null : $"`{Property}` {Text(options)} {reason}";
    }
}

/// <summary>A hyperparameter with a value of a type.</summary>
/// <typeparam name="T">
/// The type of its value: a number, several, a flag, a word, an enum, a <see cref="CropScale"/> or a <see cref="CropRatio"/>.
/// </typeparam>
public abstract class Hyperparameter<T> : Hyperparameter
{
    private protected Hyperparameter(string property, string description) : base(property, description)
    {
    }

    /// <summary>The value.</summary>
    public abstract T Get(TrainOptions options);

    /// <summary>The options with another value.</summary>
    public abstract TrainOptions With(TrainOptions options, T value);

    /// <inheritdoc/>
    public override IReadOnlyList<double> Numbers(TrainOptions options) => Get(options) switch
    {
        CropScale scale => [scale.Low, scale.High],
        CropRatio ratio => [ratio.Low, ratio.High],
        double[] numbers => numbers,
        int[] numbers => [.. numbers.Select(number => (double)number)],
        string or bool or Enum => [],
        // As it is typed: 0.1f is 0.1.
        float number => [double.Parse(number.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)],
        var number => [Convert.ToDouble(number, CultureInfo.InvariantCulture)],
    };

    /// <inheritdoc/>
    public override string Text(TrainOptions options) => Get(options) switch
    {
        CropScale or CropRatio or double[] or int[] => string.Join(' ', Numbers(options).Select(
            number => number.ToString(CultureInfo.InvariantCulture))),
        bool flag => flag ? "yes" : "no",
        var value => Convert.ToString(value, CultureInfo.InvariantCulture)!.ToLowerInvariant(),
    };
}

/// <summary>A hyperparameter of the options of one method, or of all.</summary>
/// <typeparam name="TOptions">The record that has it.</typeparam>
/// <typeparam name="T">The type of its value.</typeparam>
/// <param name="property">The property, from the run's options on.</param>
/// <param name="description">What it is, in a sentence.</param>
/// <param name="get">Gives the value.</param>
/// <param name="set">Gives the options with another value.</param>
public sealed class Hyperparameter<TOptions, T>(
    string property, string description, Func<TOptions, T> get, Func<TOptions, T, TOptions> set) : Hyperparameter<T>(property, description)
    where TOptions : TrainOptions
{
    /// <inheritdoc/>
    public override T Get(TrainOptions options) => get((TOptions)options);

    /// <inheritdoc/>
    public override TrainOptions With(TrainOptions options, T value) => set((TOptions)options, value);
}

/// <summary>A hyperparameter that makes no sense, by itself or beside another. The message names properties in backticks.</summary>
public sealed class HyperparameterException : ArgumentException
{
    /// <summary>An error without a message; prefer one that says what is wrong.</summary>
    public HyperparameterException()
    {
    }

    /// <summary>An error of no single property.</summary>
    public HyperparameterException(string message) : base(message)
    {
    }

    /// <summary>An error with what led to it.</summary>
    public HyperparameterException(string message, Exception inner) : base(message, inner)
    {
    }

    /// <summary>An error of a property.</summary>
    /// <param name="property">From the run's options on, as in <see cref="Hyperparameter.Property"/>.</param>
    /// <param name="message">What is wrong, and what it may be.</param>
    public HyperparameterException(string property, string message) : base(message) => Property = property;

    /// <summary>The property; null where it is not one alone.</summary>
    public string? Property { get; }
}
