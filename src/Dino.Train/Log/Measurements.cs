using System.Diagnostics.CodeAnalysis;
using Dino.Tensors;

namespace Dino.Train.Log;

/// <summary>
/// What the last steps measured, kept on the device and read once a window, so that no step waits for the host: the scalars that a method
/// counts, and the gradient norm of every parameter before clipping.
/// </summary>
public sealed class Measurements : IDisposable
{
    private static readonly string[] taken = ["step", "epoch", "epochEnd", "steps", "seconds", "imagesPerSecond", "knnTop1"];

    private readonly Tensor rows; // (window · scalars), then (window · parameters)
    private readonly float[] read;
    private readonly int[] columns; // of each measure, -1 without a scalar
    private readonly int scalars, parameters;
    private readonly int[] counted; // (window, scalars)
    private readonly (long Step, int Epoch)[] steps;
    private readonly IRanks ranks;

    /// <summary>Measurements of so many parameters. On the host a window is one step, as nothing has to be waited for.</summary>
    /// <param name="device">Where they are kept.</param>
    /// <param name="measures">What is measured, in the order of the log.</param>
    /// <param name="parameters">The number of gradient norms that a step ends with; may be 0.</param>
    /// <param name="ranks">Who trains together; null for one.</param>
    /// <exception cref="ArgumentException">Two measures have one name, or one of those that every line has.</exception>
    public Measurements(Device device, IReadOnlyList<Measure> measures, int parameters, IRanks? ranks = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(parameters);
        for (int i = 0; i < measures.Count; i++)
            if (taken.Contains(measures[i].Name) || measures.Take(i).Any(other => other.Name == measures[i].Name))
                throw new ArgumentException($"A line of the log has '{measures[i].Name}' already.", nameof(measures));
        (Measures, this.parameters, this.ranks) = ([.. measures], parameters, ranks ?? OneRank.Instance);
        columns = new int[measures.Count];
        for (int i = 0; i < columns.Length; i++)
            columns[i] = measures[i].Source == MeasureSource.Device ? scalars++ : -1;
        Window = device.IsHost ? 1 : 16;
        rows = Tensor.Zeros(device, new Shape(Math.Max(1, Window * (scalars + parameters))));
        read = new float[rows.Count];
        counted = new int[Window * scalars];
        steps = new (long, int)[Window];
    }

    /// <summary>What is measured, in the order of the log.</summary>
    public IReadOnlyList<Measure> Measures { get; }

    /// <summary>Steps that are kept before they have to be read.</summary>
    public int Window { get; }

    /// <summary>Steps kept and not read yet.</summary>
    public int Pending { get; private set; }

    /// <summary>Whether the next step has no place until <see cref="Read"/> was called.</summary>
    public bool IsFull => Pending == Window;

    /// <summary>Takes in a number of the present step, or of one of its batches; their mean is the step's.</summary>
    /// <param name="name">A measure <see cref="Measure.OnDevice"/>.</param>
    /// <param name="scalar">One element on the device; it is copied.</param>
    /// <exception cref="KeyNotFoundException">There is no such measure on the device.</exception>
    /// <exception cref="InvalidOperationException">The window is full.</exception>
    public void Count(string name, Tensor scalar)
    {
        ThrowIfFull();
        if (scalar.Count != 1)
            throw new ArgumentException($"A measure is one number, not {scalar.Shape}.", nameof(scalar));
        int column = ColumnOf(name);
        var sum = rows.Alias(scalar.Shape, Pending * scalars + column);
        if (counted[Pending * scalars + column]++ == 0)
            sum.CopyFrom(scalar);
        else
            sum.Accumulate(scalar);
    }

    /// <summary>The mean of what the present step has counted on this rank, NaN for nothing; waits for the device.</summary>
    /// <exception cref="KeyNotFoundException">There is no such measure on the device.</exception>
    public float Present(string name)
    {
        ThrowIfFull();
        return Present(ColumnOf(name));
    }

    /// <summary>
    /// The first counted measure of the present step that must be finite (<see cref="Measure.IsVital"/>) and is not; waits for the device.
    /// </summary>
    public bool TryFindBroken([NotNullWhen(true)] out Measure? broken)
    {
        ThrowIfFull();
        broken = null;
        for (int i = 0; i < columns.Length && broken is null; i++)
            if (Measures[i].IsVital && columns[i] >= 0 && !float.IsFinite(Present(columns[i])))
                broken = Measures[i];
        return broken is not null;
    }

    /// <summary>Ends the present step.</summary>
    /// <param name="step">Its number, from 0.</param>
    /// <param name="epoch">Its epoch, from 0.</param>
    /// <param name="gradientNorms">Every parameter's gradient norm, the same on all ranks; null where a method has none.</param>
    /// <exception cref="InvalidOperationException">The window is full.</exception>
    public void EndStep(long step, int epoch, Tensor? gradientNorms = null)
    {
        ThrowIfFull();
        if ((gradientNorms?.Count ?? 0) != parameters)
            throw new ArgumentException($"{gradientNorms?.Count ?? 0} gradient norms for {parameters} parameters.", nameof(gradientNorms));
        if (gradientNorms is not null)
            rows.Alias(gradientNorms.Shape, Window * scalars + Pending * parameters).CopyFrom(gradientNorms);
        steps[Pending++] = (step, epoch);
    }

    /// <summary>Waits for the device and hands out the pending steps, oldest first.</summary>
    public void Read(StepReader reader)
    {
        if (ranks.Count > 1 && Pending * scalars > 0)
        {
            using var counts = rows.Alias(new Shape(Pending * scalars));
            ranks.Sum(counts);
        }
        rows.CopyTo(read);
        for (int i = 0; i < Pending; i++)
        {
            var norms = read.AsSpan(Window * scalars + i * parameters, parameters);
            reader(Row(i, norms), norms);
        }
        Array.Clear(counted);
        Pending = 0;
    }

    /// <inheritdoc/>
    public void Dispose() => rows.Dispose();

    private StepRow Row(int pending, ReadOnlySpan<float> norms)
    {
        double[] values = new double[Measures.Count];
        Array.Fill(values, double.NaN);
        var row = new StepRow(steps[pending].Step, steps[pending].Epoch, Measures, values);
        for (int i = 0; i < values.Length; i++)
        {
            var measure = Measures[i];
            values[i] = measure.Source switch
            {
                MeasureSource.Device => read[pending * scalars + columns[i]] / Times(pending, columns[i]),
                MeasureSource.GradientNorm => TotalNorm(norms),
                MeasureSource.Step => measure.AtStep!(row.Step),
                MeasureSource.Derived => measure.FromOthers!(row),
                _ => double.NaN,
            };
        }
        return row;
    }

    private float Present(int column)
    {
        rows.CopyTo(read);
        return read[Pending * scalars + column] / Times(Pending, column, 1);
    }

    // What divides a sum: NaN where nothing was counted, as what lies there is of an earlier step.
    private float Times(int pending, int column) => Times(pending, column, ranks.Count);

    private float Times(int pending, int column, int ranks) =>
        counted[pending * scalars + column] is > 0 and var times ? times * ranks : float.NaN;

    private int ColumnOf(string name)
    {
        for (int i = 0; i < columns.Length; i++)
            if (columns[i] >= 0 && Measures[i].Name == name)
                return columns[i];
        throw new KeyNotFoundException($"There is no measure '{name}' on the device.");
    }

    private void ThrowIfFull()
    {
        if (IsFull)
            throw new InvalidOperationException($"{Window} steps wait to be read.");
    }

    private static double TotalNorm(ReadOnlySpan<float> norms)
    {
        double sum = 0;
        foreach (float norm in norms)
            sum += (double)norm * norm;
        return Math.Sqrt(sum);
    }
}

/// <summary>Receives a step that was read, and the gradient norm of every parameter.</summary>
public delegate void StepReader(in StepRow row, ReadOnlySpan<float> gradientNorms);
