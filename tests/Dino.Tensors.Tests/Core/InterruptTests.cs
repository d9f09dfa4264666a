using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Core;

/// <summary>Work on a device can be asked to end between two kernels.</summary>
public class InterruptTests(string device) : DeviceTests(device)
{
    [Test]
    public void AnOp_ThrowsOnceItIsAsked_AndTheDeviceGoesOnWithAnotherToken()
    {
        using var ones = Tensor.From(Device, [1f, 2, 3], new Shape(3));
        using var stop = new CancellationTokenSource();
        Device.Interrupt = stop.Token;
        try
        {
            using (Device.BeginArena())
                Assert.That(ones.Scale(2).ToArray(), Is.EqualTo(new float[] { 2, 4, 6 }));
            stop.Cancel();
            using (Device.BeginArena())
                Assert.That(() => ones.Scale(2), Throws.InstanceOf<OperationCanceledException>());
        }
        finally
        {
            Device.Interrupt = default;
        }
        using (Device.BeginArena())
            Assert.That(ones.Scale(3).ToArray(), Is.EqualTo(new float[] { 3, 6, 9 }));
    }
}
