using Dino.Tensors.Random;

namespace Dino.Train.Evaluation.Features;

/// <summary>Features of labelled pictures, one row a picture.</summary>
public sealed class FeatureSet
{
    /// <summary>Takes over the rows.</summary>
    /// <param name="values">(count, D), row by row.</param>
    /// <param name="labels">The class of each row, from 0.</param>
    /// <param name="dim">D.</param>
    /// <exception cref="ArgumentException">
    /// The values are not D for each label, a label is negative, or a value is not finite; the message says which row.
    /// </exception>
    public FeatureSet(float[] values, int[] labels, int dim)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dim);
        if (values.Length != (long)labels.Length * dim)
            throw new ArgumentException($"{values.Length} values are not {dim} for each of {labels.Length} labels.", nameof(values));
        for (int row = 0; row < labels.Length; row++)
        {
            if (labels[row] < 0)
                throw new ArgumentException($"Row {row} has label {labels[row]}: labels count from 0.", nameof(labels));
            foreach (float value in values.AsSpan(row * dim, dim))
            {
                if (!float.IsFinite(value))
                    throw new ArgumentException(
                        $"The features of row {row} hold {value}: the network that made them has failed.", nameof(values));
            }
        }
        (Values, Labels, Dim) = (values, labels, dim);
    }

    /// <summary>(count, D), row by row.</summary>
    public float[] Values { get; }

    /// <summary>The class of each row.</summary>
    public int[] Labels { get; }

    /// <summary>D, the width of a row.</summary>
    public int Dim { get; }

    /// <summary>The number of rows.</summary>
    public int Count => Labels.Length;

    /// <summary>Some successive rows.</summary>
    public ReadOnlySpan<float> Rows(int first, int count) => Values.AsSpan(first * Dim, count * Dim);

    /// <summary>
    /// A share of the rows of every class, at least one of each, drawn at random: what few labels leave. Rows keep their order.
    /// </summary>
    /// <param name="share">Above 0, at most 1.</param>
    /// <param name="seed">Decides on the rows.</param>
    public FeatureSet Subset(double share, ulong seed)
    {
        if (share is not (> 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(share), share, "A share of the rows lies above 0 and is at most 1.");
        var random = new PhiloxStream(seed, 0, 0, 0x4645_5753);
        var chosen = new List<int>();
        foreach (var rows in Enumerable.Range(0, Count).GroupBy(row => Labels[row]).OrderBy(group => group.Key))
        {
            int[] order = [.. rows];
            random.Shuffle(order.AsSpan());
            chosen.AddRange(order.Take(Math.Max(1, (int)Math.Round(share * order.Length))));
        }
        chosen.Sort();
        float[] values = new float[chosen.Count * Dim];
        for (int i = 0; i < chosen.Count; i++)
            Rows(chosen[i], 1).CopyTo(values.AsSpan(i * Dim));
        return new FeatureSet(values, [.. chosen.Select(row => Labels[row])], Dim);
    }
}
