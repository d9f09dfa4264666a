using Dino.Tensors;
using Dino.Tensors.Nn;
using Dino.Tensors.Ops;

namespace Dino.Train;

/// <summary>Finds which tensor of a step went bad first, in the order in which the step uses them.</summary>
internal static class NonFiniteSearch
{
    /// <summary>A sentence about the first tensor that holds NaN or infinity.</summary>
    public static string Describe(Distillation state, float loss, ReadOnlySpan<float> gradientNorms, Tensor globals, Tensor? locals)
    {
        using var arena = globals.Device.BeginArena();
        if (Count(globals) is > 0 and var inGlobals)
            return $"{inGlobals} values of the global crops are not finite";
        if (locals is not null && Count(locals) is > 0 and var inLocals)
            return $"{inLocals} values of the local crops are not finite";
        if (float.IsFinite(loss))
        {
            // The loss was still good, so the backward pass began it.
            for (int i = gradientNorms.Length - 1; i >= 0; i--)
                if (!float.IsFinite(gradientNorms[i]))
                    return $"the gradient of {state.Optimizer.Parameters[i].Name} has the norm {gradientNorms[i]}, at a loss of {loss:G4}";
        }
        return First("teacher", state.TeacherParameters) ?? First("student", state.StudentParameters)
            ?? (Count(state.Loss.Centre) > 0 ? "the centre is not finite" : $"the loss is {loss}, though every weight is finite: the logits overflowed");
    }

    private static string? First(string who, FlatParameters parameters)
    {
        foreach (var parameter in parameters.Parameters)
            if (Count(parameter.Value) is > 0 and var bad)
                return $"{bad} of {parameter.Value.Count} values of the {who}'s {parameter.Name} are not finite";
        return null;
    }

    private static int Count(Tensor tensor) => (int)NonFinite.Count(tensor).Item();
}
