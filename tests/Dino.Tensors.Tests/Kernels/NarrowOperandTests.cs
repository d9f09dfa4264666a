using Dino.Tensors.Kernels.Gemm;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>Devices without tensor cores round operands to the same numbers that those would take.</summary>
public class NarrowOperandTests
{
    public static IEnumerable<TestCaseData> Cases =>
        Devices.Names.Where(name => name != "cpu:debug").SelectMany(
            name => (Precision[])[Precision.Tf32, Precision.Bf16], (name, precision) => Devices.Case(name, precision));

    [TestCaseSource(nameof(Cases))]
    public void Operands_AreRounded(Precision precision, string name)
    {
        Devices.Open(name); // inconclusive where there is none
        using var device = Device.Open(name, new DeviceOptions { Precision = precision });
        if (device.UsesTensorCores)
            Assert.Inconclusive("Its kernels round.");
        var random = new System.Random(1);
        float[] values =
        [
            0, -0f, 1, float.Epsilon, float.MaxValue, float.NaN, float.PositiveInfinity, float.NegativeInfinity, 1 + 1f / 256, 1 + 3f / 256,
            1 + 1f / 2048, 1 + 3f / 2048, .. Enumerable.Range(0, 1000)
                .Select(_ => BitConverter.Int32BitsToSingle(random.Next(1, 0x7f000000))),
        ];
        using var arena = device.BeginArena();

        float[] rounded = NarrowOperand.Of(Tensor.From(device, values, new Shape(values.Length))).ToArray();

        Assert.That(rounded, Is.EqualTo(values.Select(x => Nearest(x, precision))));
    }

    [Test]
    public void Floats_StayAsTheyAre()
    {
        using var device = Device.Open("cpu");
        using var x = Tensor.From(device, [1 / 3f], new Shape(1));
        Assert.That(NarrowOperand.Of(x), Is.SameAs(x));
    }

    // Written out: the two candidates and the distance to each.
    private static float Nearest(float x, Precision precision)
    {
        if (!float.IsFinite(x))
            return x;
        uint step = precision == Precision.Tf32 ? 1u << 13 : 1u << 16, bits = BitConverter.SingleToUInt32Bits(x), low = bits & ~(step - 1);
        float below = BitConverter.UInt32BitsToSingle(low), above = BitConverter.UInt32BitsToSingle(low + step);
        bool even = (low & step) == 0;
        return (2 * (bits - low)).CompareTo(step) switch
        {
            < 0 => below,
            > 0 => above,
            _ => precision == Precision.Bf16 && even ? below : above,
        };
    }
}
