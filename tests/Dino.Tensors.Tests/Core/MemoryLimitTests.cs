using NUnit.Framework;

namespace Dino.Tensors.Tests.Core;

/// <summary>A device that has not enough says how much was asked for and how much there was, and is as usable as before.</summary>
public class MemoryLimitTests
{
    private const int Limit = 1 << 20, Large = 3 << 16; // bytes; floats: three quarters of the limit

    [TestCase("cpu")]
    [TestCase("cpu:debug")]
    public void MoreThanTheLimit_IsRefused_WithBothSizes_AndTheDeviceLivesOn(string name)
    {
        using var device = Device.Open(name, new DeviceOptions { Threads = 1, MemoryBytes = Limit, Strict = true });
        using var arena = device.BeginArena();
        var held = Tensor.From(device, [.. Enumerable.Range(0, Large).Select(i => (float)i)], new Shape(Large));

        var error = Assert.Throws<DeviceMemoryException>(() => Tensor.Zeros(device, new Shape(Large)))!;

        Assert.That((error.RequestedBytes, error.UsedBytes, error.DeviceBytes), Is.EqualTo((4L * Large, 4L * Large, (long)Limit)));
        Assert.That(error.Message, Is.EqualTo($"Device {name} could not provide 768 KiB: 768 KiB of 1024 KiB are in use here."));
        Assert.That(held.ToArray()[^1], Is.EqualTo(Large - 1));
        Assert.That(Tensor.Zeros(device, new Shape(1000)).ToArray(), Is.All.Zero);
    }

    [TestCase("cpu")]
    [TestCase("cpu:debug")]
    public void PiecesThatNobodyUses_AreGivenBack_BeforeTheDeviceRefuses(string name)
    {
        using var device = Device.Open(name, new DeviceOptions { Threads = 1, MemoryBytes = Limit, Strict = true });
        using (device.BeginArena())
            Tensor.Zeros(device, new Shape(Large));
        using var arena = device.BeginArena();

        var other = Tensor.Zeros(device, new Shape(Limit / 4)); // all that there is, in a piece of another size

        Assert.That(other.ToArray(), Is.All.Zero);
        Assert.That(device.Pool.AllocatedBytes, Is.EqualTo(Limit));
    }

    [Test]
    public void Memory_IsCountedInBytes_OfTheTypeOfElements([Values] DType type)
    {
        using var device = Device.Open("cpu", new DeviceOptions { Threads = 1 });
        using (device.BeginArena())
        {
            var tensor = device.Rent(new Shape(1 << 10), type);
            Assert.That(device.Pool.UsedBytes, Is.EqualTo((long)tensor.Count * type.ItemSize));
            Assert.That(device.Pool.AllocatedBytes, Is.EqualTo(device.Pool.UsedBytes));
        }
        Assert.That(device.Pool.UsedBytes, Is.Zero);
        Assert.That(type.ItemSize, Is.EqualTo(4));
        Assert.That(() => ((DType)99).ItemSize, Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void DriverErrors_AreToldApart()
    {
        var lost = DeviceLostException.From(new ILGPU.Runtime.OpenCL.CLException(ILGPU.Runtime.OpenCL.CLError.CL_DEVICE_NOT_AVAILABLE))!;
        var full = DeviceLostException.From(new ILGPU.Runtime.OpenCL.CLException(
            ILGPU.Runtime.OpenCL.CLError.CL_MEM_OBJECT_ALLOCATION_FAILURE))!;

        Assert.That((lost.IsMemory, full.IsMemory), Is.EqualTo((false, true)));
        Assert.That(lost.Message, Does.Contain("OpenCL device failed").And.Contain("CL_DEVICE_NOT_AVAILABLE"));
        Assert.That(full.Message, Does.Contain("ran out of memory"));
        Assert.That(DeviceLostException.From(new InvalidOperationException()), Is.Null);
    }
}
