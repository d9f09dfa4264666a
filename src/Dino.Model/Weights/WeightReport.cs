using System.Globalization;
using System.Text;

namespace Dino.Model.Weights;

/// <summary>How a file and a model agree: the names of the model's tensors, and of the file's where they are none of the model's.</summary>
/// <param name="path">The file.</param>
public sealed class WeightReport(string path)
{
    /// <summary>Tensors of the model with a counterpart of the same shape.</summary>
    public List<string> Loaded { get; } = [];

    /// <summary>Position embeddings that are resampled to the model's grid.</summary>
    public List<string> Resized { get; } = [];

    /// <summary>Tensors of the model without a counterpart.</summary>
    public List<string> Missing { get; } = [];

    /// <summary>Tensors of the file that the model has not.</summary>
    public List<string> Unexpected { get; } = [];

    /// <summary>Tensors whose counterpart has another shape.</summary>
    public List<string> Misshapen { get; } = [];

    /// <summary>
    /// Tensors inside blocks, or among the tokens, that the model has no place for: the file is of another kind of network, and what is
    /// left without them
    /// is none.
    /// </summary>
    public List<string> Foreign { get; } = [];

    /// <summary>The other kind of network that the file looks like, in words, or null.</summary>
    public string? Family { get; internal set; }

    /// <summary>Whether all of the model is in the file and nothing else.</summary>
    public bool IsWhole => Missing.Count + Unexpected.Count + Misshapen.Count + Foreign.Count == 0;

    /// <summary>Names every difference.</summary>
    /// <exception cref="WeightsException">There are some.</exception>
    public void ThrowIfPartial()
    {
        ThrowIfForeign();
        if (IsWhole)
            return;
        var text = new StringBuilder($"{path} does not fit the model:");
        foreach (var (what, names) in ((string, List<string>)[])[("missing", Missing), ("unexpected", Unexpected),
            ("another shape", Misshapen)])
            foreach (string name in names)
                text.Append(CultureInfo.InvariantCulture, $"\n  {what}: {name}");
        throw new WeightsException(WeightsFault.FitsInPart, text.Append("\nGive `AllowPartial` to use what fits.").ToString());
    }

    /// <summary>What loading asks for: a whole model, or a part of one where that is allowed; never a model of another kind.</summary>
    /// <exception cref="WeightsException">It is not that; the message names the differences.</exception>
    public void ThrowIfNot(bool allowPartial)
    {
        ThrowIfForeign();
        if (!allowPartial)
            ThrowIfPartial();
    }

    private void ThrowIfForeign()
    {
        if (Foreign.Count == 0)
            return;
        string names = string.Join(", ", Foreign.Take(4)) + (Foreign.Count > 4 ? $" and {Foreign.Count - 4} more" : "");
        throw new WeightsException(WeightsFault.OtherNetwork,
            $"{path} is of another kind of network{(Family is null ? "" : $": it looks like {Family}")}. "
            + $"{names} {(Foreign.Count == 1 ? "has" : "have")} no place in a ViT of DINO, and without "
            + $"{(Foreign.Count == 1 ? "it" : "them")} the features would be others; `AllowPartial` does not change that.");
    }
}
