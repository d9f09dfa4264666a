using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Sums;

namespace Dino.Tensors.Ops;

/// <summary>How many elements are NaN or infinite.</summary>
public static class NonFinite
{
    /// <summary>
    /// The number of elements of x that are NaN or infinite, as a scalar on the device (exact up to 2²⁴); zero exactly when there is none.
    /// Reading it waits for the device: do so only when a health check is due.
    /// </summary>
    public static Tensor Count(Tensor x) => Total<Term>.Of(x);

    internal readonly struct Term : ITerm
    {
        public static T Of<T>(T x) where T : struct, IReal<T> => T.NonFinite(x);
    }
}
