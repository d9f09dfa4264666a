using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>y ← y + x, how gradients gather; not differentiable itself.</summary>
internal static class AddInPlace
{
    public static void Run(Tensor y, Tensor x)
    {
        if (y.Device.IsHost)
            ElementLoop<Body<Simd, HostMemory>>.OnHost(y.Device, y.Count, new(HostMemory.Of(y), HostMemory.Of(x)));
        else
            ElementLoop<Body<Lane, ViewMemory>>.OnAccelerator(y.Device, y.Count, new(ViewMemory.Of(y), ViewMemory.Of(x)));
    }

    internal readonly struct Body<T, TMemory>(TMemory y, TMemory x) : IElementBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory y = y, x = x;

        public void At(int i, int end) => y.Store(i, end, y.Load(i, end) + x.Load(i, end));
    }
}
