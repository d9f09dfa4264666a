using System.Globalization;
using Dino.Pictures.Loading;
using Dino.Tensors.Ops;
using Dino.Train.Log;

namespace Dino.Train.Methods;

/// <summary>Finds which tensor of a step went bad first, in the order in which the step writes and uses them.</summary>
internal static class NonFiniteSearch
{
    /// <summary>
    /// A sentence about the first tensor that holds NaN or infinity, while the weights are still those that made the step's numbers.
    /// </summary>
    /// <param name="method">What is trained.</param>
    /// <param name="views">The crops of the step.</param>
    /// <param name="broken">What was measured and is not finite.</param>
    public static string BeforeUpdate(IMethod method, ViewBatch views, Measure broken)
    {
        float value = method.Measured.Present(broken.Name);
        if (method is not ISearchable searchable)
            return Text($"the {Name(broken)} is {value}");
        using var arena = views.Views(0, 1).Device.BeginArena();
        foreach (var suspect in searchable.Searched(views))
            if ((int)NonFinite.Count(suspect.Values).Item() is > 0 and var bad)
                return suspect.Describe(bad);
        return Text($"the {Name(broken)} is {value}, though every weight is finite: the logits overflowed");
    }

    /// <summary>
    /// The same when updates have followed, which carry NaN into every weight: the gradient norms of the step, taken before them, are what
    /// is left of it.
    /// </summary>
    /// <param name="method">What is trained.</param>
    /// <param name="row">What the step measured.</param>
    /// <param name="broken">What of it is not finite.</param>
    /// <param name="gradientNorms">The norm of each parameter's gradient.</param>
    public static string AfterUpdate(IMethod method, in StepRow row, Measure broken, ReadOnlySpan<float> gradientNorms)
    {
        if (broken.Source != MeasureSource.GradientNorm)
        {
            return Text($"the {Name(broken)} is {(float)row[broken.Name]}, after a step of finite gradients: ")
                + "weights or logits have overflowed, and `Device` cpu can tell which";
        }
        // The backward pass began it, and reaches the last parameters first.
        int i = gradientNorms.Length - 1;
        while (i > 0 && float.IsFinite(gradientNorms[i]))
            i--;
        string whose = method is ISearchable searchable ? searchable.Trained[i].Name : Text($"parameter {i}");
        string beside = "";
        foreach (var measure in row.Measures)
            if (measure is { IsVital: true, Source: MeasureSource.Device })
                beside = Text($", at a {Name(measure)} of {(float)row[measure.Name]:G4}");
        return Text($"the gradient of {whose} has the norm {gradientNorms[i]}{beside}");
    }

    private static string Name(Measure measure) => measure.Label ?? measure.Name;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
