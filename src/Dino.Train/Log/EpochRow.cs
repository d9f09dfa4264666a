using System.Globalization;

namespace Dino.Train.Log;

/// <summary>How an epoch went.</summary>
/// <param name="Epoch">Number of the epoch, from 0.</param>
/// <param name="Steps">Steps done since the start of the run.</param>
/// <param name="Means">Mean over its steps of each measure that has one (<see cref="Measure.IsEpochMean"/>), in their order.</param>
/// <param name="Seconds">Wall time of the epoch.</param>
/// <param name="ImagesPerSecond">Source images a second over the epoch.</param>
/// <param name="KnnTop1">k-NN accuracy (20 neighbours) in percent; null when it was not measured.</param>
public sealed record EpochRow(
    int Epoch,
    long Steps,
    IReadOnlyList<(Measure Measure, double Mean)> Means,
    double Seconds,
    double ImagesPerSecond,
    double? KnnTop1 = null)
{
    /// <summary>The mean of a measure.</summary>
    /// <exception cref="KeyNotFoundException">The epoch has no such mean.</exception>
    public double this[string name]
    {
        get
        {
            foreach (var (measure, mean) in Means)
                if (measure.Name == name)
                    return mean;
            throw new KeyNotFoundException(
                $"An epoch has no mean of '{name}'; it has {string.Join(", ", Means.Select(pair => pair.Measure.Name))}.");
        }
    }

    /// <summary>The first mean that has a label, with a comma, as in <c>loss 3.142, </c>; nothing where there is none.</summary>
    internal string FirstMean()
    {
        foreach (var (measure, mean) in Means)
            if (measure.Label is { } label)
                return $"{label} {mean.ToString(measure.Format, CultureInfo.InvariantCulture)}, ";
        return "";
    }
}

/// <summary>The means over an epoch of what its steps measured.</summary>
internal sealed class EpochMeans
{
    private readonly Measure[] measures;
    private readonly double[] sums;

    /// <summary>Means of those of the measures that have one.</summary>
    public EpochMeans(IEnumerable<Measure> measures)
    {
        this.measures = [.. measures.Where(measure => measure.IsEpochMean)];
        sums = new double[this.measures.Length];
    }

    /// <summary>The steps taken in since <see cref="Clear"/>.</summary>
    public int Steps { get; private set; }

    /// <summary>Takes in a step.</summary>
    public void Add(in StepRow row)
    {
        for (int i = 0; i < measures.Length; i++)
            sums[i] += row[measures[i].Name];
        Steps++;
    }

    /// <summary>The means of the steps taken in; NaN when there is none.</summary>
    public IReadOnlyList<(Measure Measure, double Mean)> ToList() => [.. measures.Select((measure, i) => (measure, sums[i] / Steps))];

    /// <summary>Begins a new epoch.</summary>
    public void Clear()
    {
        Array.Clear(sums);
        Steps = 0;
    }
}
