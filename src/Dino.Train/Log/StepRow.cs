using System.Diagnostics.CodeAnalysis;

namespace Dino.Train.Log;

/// <summary>What a training step measured, by name. Numbers that were not measured are NaN.</summary>
public readonly struct StepRow
{
    private readonly IReadOnlyList<Measure> measures;
    private readonly double[] values;

    /// <summary>A row of so many measures.</summary>
    /// <param name="step">Number of the step, from 0.</param>
    /// <param name="epoch">Number of the epoch, from 0.</param>
    /// <param name="measures">What was measured.</param>
    /// <param name="values">A number for each; the row keeps the array.</param>
    /// <exception cref="ArgumentException">There are not as many numbers as measures.</exception>
    public StepRow(long step, int epoch, IReadOnlyList<Measure> measures, params double[] values)
    {
        if (values.Length != measures.Count)
            throw new ArgumentException($"{values.Length} numbers for {measures.Count} measures.", nameof(values));
        (Step, Epoch, this.measures, this.values) = (step, epoch, measures, values);
    }

    /// <summary>Number of the step, from 0.</summary>
    public long Step { get; }

    /// <summary>Number of the epoch, from 0.</summary>
    public int Epoch { get; }

    /// <summary>Source images a second, lately.</summary>
    public double ImagesPerSecond { get; init; } = double.NaN;

    /// <summary>Time until the run is done at this speed; null when unknown.</summary>
    public TimeSpan? TimeLeft { get; init; }

    /// <summary>What was measured, in the order of <see cref="Values"/>.</summary>
    public IReadOnlyList<Measure> Measures => measures ?? [];

    /// <summary>The numbers.</summary>
    public ReadOnlySpan<double> Values => values;

    /// <summary>The number of a measure.</summary>
    /// <exception cref="KeyNotFoundException">There is no such measure.</exception>
    public double this[string name] => TryGet(name, out double value)
        ? value
        : throw new KeyNotFoundException(
            $"There is no measure '{name}'; there are {string.Join(", ", Measures.Select(measure => measure.Name))}.");

    /// <summary>The number of a measure, NaN if there is no such.</summary>
    /// <returns>Whether there is.</returns>
    public bool TryGet(string name, out double value)
    {
        for (int i = 0; i < Measures.Count; i++)
        {
            if (measures[i].Name != name)
                continue;
            value = values[i];
            return true;
        }
        value = double.NaN;
        return false;
    }

    /// <summary>The first measure that must be finite (<see cref="Measure.IsVital"/>) and is not.</summary>
    public bool TryFindBroken([NotNullWhen(true)] out Measure? broken)
    {
        broken = null;
        for (int i = 0; i < Measures.Count && broken is null; i++)
            if (measures[i].IsVital && !double.IsFinite(values[i]))
                broken = measures[i];
        return broken is not null;
    }
}
