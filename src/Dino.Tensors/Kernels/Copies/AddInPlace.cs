namespace Dino.Tensors.Kernels.Copies;

/// <summary>y ← y + x, how gradients gather; not differentiable itself.</summary>
internal static class AddInPlace
{
    public static void Run(Tensor y, Tensor x) => y.Device.Launch(new Launch(y, x));

    private readonly struct Launch(Tensor y, Tensor x) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) => run.Elements(y.Count, new Body<T, TMemory>(TMemory.Of(y), TMemory.Of(x)));
    }

    internal readonly struct Body<T, TMemory>(TMemory y, TMemory x) : IElementBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory y = y, x = x;

        public void At(int i, int end) => y.Store(i, end, y.Load(i, end) + x.Load(i, end));
    }
}
