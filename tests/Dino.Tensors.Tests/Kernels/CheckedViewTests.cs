using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Simt;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>On simulated threads an index outside a tensor is named, and process and device live on.</summary>
public class CheckedViewTests
{
    private const int Count = 10;

    [TestCase(1, Count)]
    [TestCase(-1, -1)]
    public void IndexOutside_IsNamed_AndTheDeviceLivesOn(int shift, int outside)
    {
        var device = Devices.Open("cpu:debug");
        using var arena = device.BeginArena();
        // The tensor is a part of a larger piece of memory: what is wrong is the tensor's end, not the memory's.
        var tensor = device.Rent(new Shape(Count));
        tensor.Fill(0);

        ElementLoop<Shifted>.OnAccelerator(device, Count, new Shifted(ViewMemory.Of(tensor), shift));

        var error = Assert.Throws<KernelIndexException>(() => tensor.ToArray())!;
        Assert.That((error.Index, error.Length), Is.EqualTo((outside, Count)));
        Assert.That(error.Message, Does.Contain(nameof(Shifted)).And.Contain(nameof(CheckedViewTests)));

        float[] values = tensor.ToArray(); // reported once; what lay inside was written
        Assert.That(values.Count(v => v == 1), Is.EqualTo(Count - 1));
    }

    [Test]
    public void IndexOutside_StopsTheNextLaunch()
    {
        var device = Devices.Open("cpu:debug");
        using var arena = device.BeginArena();
        var tensor = device.Rent(new Shape(Count));
        ElementLoop<Shifted>.OnAccelerator(device, Count, new Shifted(ViewMemory.Of(tensor), 1));

        Assert.That(() => tensor.Fill(2), Throws.TypeOf<KernelIndexException>());
        tensor.Fill(2);
        Assert.That(tensor.ToArray(), Is.All.EqualTo(2));
    }

    /// <summary>Writes 1 next to where it should.</summary>
    public readonly struct Shifted : IElementBody
    {
        private readonly ViewMemory target;
        private readonly int shift;

        internal Shifted(ViewMemory target, int shift) => (this.target, this.shift) = (target, shift);

        /// <inheritdoc/>
        public void At(int i, int end) => target.Store(i + shift, end, Lane.Of(1));
    }
}
