using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels.TensorCores;

namespace Dino.Tensors.Kernels.Gemm;

/// <summary>
/// What a tensor core would take of an operand, for devices without: the numbers of a run in a narrow <see cref="Precision"/> anywhere, at
/// the
/// price of a pass over each operand.
/// </summary>
internal static class NarrowOperand
{
    /// <summary>The operand rounded, in the current arena; itself where the device computes in float, or rounds in its kernels.</summary>
    public static Tensor Of(Tensor x)
    {
        var device = x.Device;
        if (device.Precision == Precision.Fp32 || device.UsesTensorCores)
            return x;
        var y = device.Rent(x.Shape);
        device.Launch(new RoundLaunch(x, y, device.Precision == Precision.Bf16 ? 1 : 0));
        return y;
    }

    private readonly struct RoundLaunch(Tensor x, Tensor y, int bf16) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) => run.Elements(x.Count, new Round<T, TMemory>(TMemory.Of(x), TMemory.Of(y), bf16));
    }

    internal readonly struct Round<T, TMemory>(TMemory x, TMemory y, int bf16) : IElementBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory x = x, y = y;
        private readonly int bf16 = bf16;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At(int i, int end)
        {
            T value = x.Load(i, end);
            y.Store(i, end, bf16 != 0 ? T.RoundToBf16(value) : T.RoundToTf32(value));
        }
    }
}
