namespace Dino.Tensors.Kernels.Gemm;

/// <summary>
/// A function of one number that a matrix product applies to its result before that leaves the registers or the cache, and whose derivative
/// the product of the backward pass applies: one struct for the host and all accelerators. It is an elementwise op as well
/// (<see cref="Unary{TFunction}"/>).
/// </summary>
public interface IActivation : IUnary
{
    /// <summary>f(x), and dy · f′(x): both at once, where they share work.</summary>
    /// <param name="x">The number before the function.</param>
    /// <param name="dy">The gradient of f(x).</param>
    /// <param name="dx">dy · f′(x).</param>
    static abstract T ForwardBackward<T>(T x, T dy, out T dx) where T : struct, IReal<T>;
}
