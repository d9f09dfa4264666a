using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>Operands that say where: what is not 0 counts as yes (NaN too), be it a float or a whole number.</summary>
internal static class Mask
{
    /// <summary>The mask as floats, checked against the tensor it is for.</summary>
    public static Tensor Of(Tensor x, Tensor mask, string name, string op)
    {
        ArgumentNullException.ThrowIfNull(mask, name);
        Operands.With(x, mask, op, mask.DType);
        if (mask.DType == DType.Float32)
            return mask.Detach();
        var floats = mask.Device.Rent(mask.Shape);
        mask.Device.Launch(new Launch(mask, floats));
        return floats;
    }

    /// <summary>Then where the mask is not 0, otherwise the other.</summary>
    public static T Choose<T>(T mask, T then, T otherwise) where T : struct, IReal<T> =>
        T.WhereNaN(mask, then, T.WhereLess(T.Of(0f), T.Abs(mask), then, otherwise));

    private readonly struct Launch(Tensor whole, Tensor floats) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) =>
            run.Elements(whole.Count, new Body<T, TMemory>(TMemory.Of(whole), TMemory.Of(floats)));
    }

    /// <summary>The whole numbers as floats, the nearest ones.</summary>
    internal readonly struct Body<T, TMemory>(TMemory whole, TMemory floats) : IElementBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory whole = whole, floats = floats;

        public void At(int i, int end)
        {
            TMemory to = floats;
            for (int j = i; j < Math.Min(end, i + T.Width); j++)
                to[j] = whole.Int(j);
        }
    }
}
