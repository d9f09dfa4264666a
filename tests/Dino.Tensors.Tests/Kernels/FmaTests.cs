using Dino.Tensors.Kernels;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>A multiply-add is one instruction with one rounding on every device: where it is two, products run at half speed.</summary>
public class FmaTests(string device) : DeviceTests(device)
{
    [Test]
    public void Fma_RoundsOnce()
    {
        // The square of 1 + 2⁻¹² needs 25 bits; what rounding it to 24 loses is what the multiply-add finds.
        float[] x = [.. Enumerable.Range(1, 64).Select(i => 1 + i / 4096f)];
        using var arena = Device.BeginArena();
        var values = Tensor.From(Device, x, new Shape(x.Length));
        var lost = Device.Rent(values.Shape);

        if (Device.IsHost)
            ElementLoop<HostBody>.OnHost(Device, x.Length, new HostBody(HostMemory.Of(values), HostMemory.Of(lost)));
        else
            ElementLoop<LaneBody>.OnAccelerator(Device, x.Length, new LaneBody(ViewMemory.Of(values), ViewMemory.Of(lost)));

        float[] expected = [.. x.Select(v => (float)((double)v * v - v * v))];
        Assert.That(expected, Has.Some.Not.Zero);
        Assert.That(lost.ToArray(), Is.EqualTo(expected));
    }

    private static T Lost<T>(T x) where T : struct, IReal<T> => T.Fma(x, x, -(x * x));

    /// <summary>Public: ILGPU's CPU accelerator emits code that holds it.</summary>
    public readonly struct LaneBody : IElementBody
    {
        private readonly ViewMemory source, target;

        internal LaneBody(ViewMemory source, ViewMemory target) => (this.source, this.target) = (source, target);

        /// <inheritdoc/>
        public void At(int i, int end) => target.Store(i, end, Lost(source.Load(i, end)));
    }

    private readonly struct HostBody(HostMemory source, HostMemory target) : IElementBody
    {
        public void At(int i, int end) => target.Store(i, end, Lost(source.Load(i, end)));
    }
}
