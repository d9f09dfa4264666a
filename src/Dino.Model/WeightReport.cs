using System.Globalization;
using System.Text;

namespace Dino.Model;

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

    /// <summary>Whether all of the model is in the file and nothing else.</summary>
    public bool IsWhole => Missing.Count + Unexpected.Count + Misshapen.Count == 0;

    /// <summary>Names every difference.</summary>
    /// <exception cref="InvalidDataException">There are some.</exception>
    public void ThrowIfPartial()
    {
        if (IsWhole)
            return;
        var text = new StringBuilder($"{path} does not fit the model:");
        foreach (var (what, names) in ((string, List<string>)[])[("missing", Missing), ("unexpected", Unexpected), ("another shape", Misshapen)])
            foreach (string name in names)
                text.Append(CultureInfo.InvariantCulture, $"\n  {what}: {name}");
        throw new InvalidDataException(text.Append("\nGive --allow-partial to use what fits.").ToString());
    }
}
