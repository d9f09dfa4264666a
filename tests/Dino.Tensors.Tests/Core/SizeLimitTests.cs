using NUnit.Framework;

namespace Dino.Tensors.Tests.Core;

/// <summary>What cannot be held is refused with a message, not with an overflow or the end of the process.</summary>
public class SizeLimitTests
{
    [TestCase(65536, 32768, 1, 1)]
    [TestCase(8, 3, 20000, 20000)]
    [TestCase(int.MaxValue, int.MaxValue, int.MaxValue, int.MaxValue)]
    [TestCase(int.MaxValue, int.MaxValue, 2, 1)]
    public void ShapeBeyondAnIndex_IsRefused(int a, int b, int c, int d) =>
        Assert.That(() => new Shape(a, b, c, d), Throws.TypeOf<TensorSizeException>().With.Message.Contains($"({a}, {b}, {c}, {d})"));

    [Test]
    public void LargestShape_IsAllowed() => Assert.That(new Shape(int.MaxValue, 1, 1, 1).Count, Is.EqualTo(int.MaxValue));

    [Test]
    public void HostMemoryBeyondTheMachines_IsRefused()
    {
        // Not strict: memory that nobody writes to takes no place.
        using var device = Device.Open("cpu", new DeviceOptions { Threads = 1 });
        var piece = new Shape(1 << 28); // 1 GiB
        using var arena = device.BeginArena();

        Assert.That(
            () =>
            {
                for (long held = 0; held <= device.MemoryBytes; held += 1L << 30)
                    device.Rent(piece);
            },
            Throws.TypeOf<DeviceMemoryException>().With.Message.Contains("1024 MiB"));
        Assert.That(device.Pool.AllocatedBytes, Is.LessThanOrEqualTo(device.MemoryBytes));
    }
}
