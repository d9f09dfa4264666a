using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

/// <summary>
/// Every op on every device with one number of one input replaced by NaN, infinity, −0 or a subnormal number: what becomes of them is the
/// same
/// everywhere. Compilers for GPUs drop NaN from maxima and comparisons without a word. (What large numbers become depends on the order of
/// sums.)
/// </summary>
public class SpecialValuesTests
{
    private static readonly float[] special = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, -0f, 1e-40f, -1e-40f];

    /// <summary>One case of each op, with rows longer than a vector where there is one.</summary>
    public static IEnumerable<OpCase> Ops => OpCoverageTests.CaseClasses.SelectMany(type =>
        ((IEnumerable<OpCase>)type.GetProperty(nameof(IOpCases.Cases))!.GetValue(null)!)
            .GroupBy(c => c.Name.Split(' ')[0])
            .Select(cases => cases.FirstOrDefault(c => c.Shapes[0].Count is > 16 and < 2000) ?? cases.Last()));

    public static IEnumerable<TestCaseData> OnDevices =>
        from device in Devices.Names where device != "cpu" from c in Ops select Devices.Case(device, c);

    [TestCaseSource(nameof(OnDevices))]
    public void Device_AgreesWithHost(OpCase c, string device)
    {
        Device host = Devices.Open("cpu"), other = Devices.Open(device);
        Assert.Multiple(() =>
        {
            for (int input = 0; input < c.Shapes.Length; input++)
            {
                foreach (float value in special)
                {
                    float[][] x = c.Values();
                    if (x[input].Length == 0)
                        continue;
                    int at = x[input].Length / 2;
                    x[input][at] = value;
                    c.Tolerance.Check<float>(
                        OpCheck.Output(other, c, x), OpCheck.Output(host, c, x),
                        $"{c} on {device} with {value} at [{at}] of input {input}");
                }
            }
        });
    }
}
