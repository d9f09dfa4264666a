using System.Runtime.CompilerServices;

namespace Dino.Tensors.Kernels.Gemm;

/// <summary>What becomes of an element of C once its sum is complete: one formula for the host and accelerators.</summary>
internal interface IEpilogue
{
    /// <summary>Whether it reads a tensor of C's shape beside C.</summary>
    static abstract bool ReadsOther { get; }

    /// <summary>Whether it takes a factor for each column; otherwise it may take one for each sample.</summary>
    static abstract bool ScalesColumns { get; }

    /// <summary>The finished element, and what is kept beside it if anybody wants that.</summary>
    /// <param name="c">The sum, with the bias.</param>
    /// <param name="other">The element beside it; anything if it <see cref="ReadsOther"/> not.</param>
    /// <param name="factor">The factor, or 1.</param>
    /// <param name="kept">Goes to a tensor of C's shape.</param>
    static abstract T Finish<T>(T c, T other, T factor, out T kept) where T : struct, IReal<T>;
}

/// <summary>other + factor · C, a branch of a residual connection.</summary>
internal readonly struct BranchEpilogue : IEpilogue
{
    public static bool ReadsOther => true;

    public static bool ScalesColumns => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Finish<T>(T c, T other, T factor, out T kept) where T : struct, IReal<T>
    {
        kept = default;
        return T.Fma(c, factor, other);
    }
}

/// <summary>factor of the column · C: the rows of a weight scaled after the product instead of before.</summary>
internal readonly struct ColumnScaleEpilogue : IEpilogue
{
    public static bool ReadsOther => false;

    public static bool ScalesColumns => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Finish<T>(T c, T other, T factor, out T kept) where T : struct, IReal<T>
    {
        kept = default;
        return c * factor;
    }
}

/// <summary>f(C); C itself may be kept for the backward pass.</summary>
internal readonly struct ActivationEpilogue<TActivation> : IEpilogue where TActivation : struct, IActivation
{
    public static bool ReadsOther => false;

    public static bool ScalesColumns => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Finish<T>(T c, T other, T factor, out T kept) where T : struct, IReal<T>
    {
        kept = c;
        return TActivation.Forward(c);
    }
}

/// <summary>C · f′(other), the gradient through an activation given its input; f(other) is kept, remade at little cost.</summary>
internal readonly struct ActivationBackwardEpilogue<TActivation> : IEpilogue where TActivation : struct, IActivation
{
    public static bool ReadsOther => true;

    public static bool ScalesColumns => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Finish<T>(T c, T other, T factor, out T kept) where T : struct, IReal<T>
    {
        kept = TActivation.ForwardBackward(other, c, out T dx);
        return dx;
    }
}
