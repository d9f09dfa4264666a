using Dino.Tensors;
using Dino.Tensors.Nn;
using Dino.Tensors.Ops;
using Dino.Train.Methods.Dino;

namespace Dino.Train;

/// <summary>Finds which tensor of a step went bad first, in the order in which the step writes and uses them.</summary>
internal static class NonFiniteSearch
{
    /// <summary>A sentence about the first tensor that holds NaN or infinity, while the weights are still those that made the loss.</summary>
    public static string BeforeUpdate(Distillation state, float loss, Tensor globals, Tensor? locals)
    {
        using var arena = globals.Device.BeginArena();
        if (Count(globals) is > 0 and var inGlobals)
            return $"{inGlobals} values of the global crops are not finite";
        if (locals is not null && Count(locals) is > 0 and var inLocals)
            return $"{inLocals} values of the local crops are not finite";
        // The last update wrote the student first; the teacher follows it.
        return First("student", state.StudentParameters) ?? First("teacher", state.TeacherParameters)
            ?? (Count(state.Loss.Centre) > 0 ? "the centre is not finite" : FormattableString.Invariant($"the loss is {loss}, though every weight is finite: the logits overflowed"));
    }

    /// <summary>
    /// The same when updates have followed, which carry NaN into every weight: the gradient norms of the step, taken before them, are what
    /// is left of it.
    /// </summary>
    public static string AfterUpdate(Distillation state, float loss, ReadOnlySpan<float> gradientNorms)
    {
        if (!float.IsFinite(loss))
            return FormattableString.Invariant($"the loss is {loss}, after a step of finite gradients: weights or logits have overflowed, and `Device` cpu can tell which");
        // The backward pass began it, and reaches the last parameters first.
        int i = gradientNorms.Length - 1;
        while (i > 0 && float.IsFinite(gradientNorms[i]))
            i--;
        return FormattableString.Invariant($"the gradient of {state.Optimizer.Parameters[i].Name} has the norm {gradientNorms[i]}, at a loss of {loss:G4}");
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
