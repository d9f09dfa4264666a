using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests;

/// <summary>What holds for every device: numbers go there and come back, and memory that nobody wrote is seen.</summary>
public class OpenedDeviceTests(string device) : DeviceTests(device)
{
    [TestCase(1)]
    [TestCase(7)]
    [TestCase(1000)]
    public void Numbers_ComeBackAsTheyWent(int count)
    {
        float[] values = [.. Enumerable.Range(0, count).Select(i => MathF.Sin(i) * MathF.Pow(10, i % 60 - 30))];
        using var arena = Device.BeginArena();

        Assert.That(Tensor.From(Device, values, new Shape(count)).ToArray(), Is.EqualTo(values));
    }

    [Test]
    public void SpecialValues_Survive()
    {
        float[] values = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, -0f, float.Epsilon, float.MaxValue];
        using var arena = Device.BeginArena();

        float[] back = Tensor.From(Device, values, new Shape(values.Length)).ToArray();

        Assert.That(Array.ConvertAll(back, BitConverter.SingleToInt32Bits),
            Is.EqualTo(Array.ConvertAll(values, BitConverter.SingleToInt32Bits)));
    }

    [Test]
    public void Integers_ComeBackAsTheyWent()
    {
        int[] values = [int.MinValue, -1, 0, 1, int.MaxValue];
        using var arena = Device.BeginArena();

        Assert.That(Tensor.FromInts(Device, values, new Shape(5)).ToIntArray(), Is.EqualTo(values));
    }

    [Test]
    public void MemoryThatNobodyWrote_HoldsNaN()
    {
        using var arena = Device.BeginArena();

        Assert.That(Device.Rent(new Shape(33)).ToArray(), Is.All.NaN);
    }

    [Test]
    public void Fill_WritesEveryElement()
    {
        using var arena = Device.BeginArena();
        var tensor = Device.Rent(new Shape(3, 11));

        tensor.Fill(2.5f);

        Assert.That(tensor.ToArray(), Is.All.EqualTo(2.5f));
    }
}
