using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Core;

/// <summary>
/// What a tensor looks like in text: shape, type, device, and the numbers as NumPy 1.24 prints the same array of float32.
/// </summary>
public class TensorTextTests
{
    public static IEnumerable<TestCaseData> Cases()
    {
        yield return Case("""
            [[ 1.  -2. ]
             [ 0.5  3. ]
             [ 0.  -1. ]]
            """, new Shape(3, 2), [1, -2, 0.5f, 3, 0, -1]);
        yield return Case("""
            [1. 2. 3.]
            """, new Shape(3), [1, 2, 3]);
        yield return Case("""
            [   0.1           0.33333334 -100.        ]
            """, new Shape(3), [0.1f, 1f / 3, -100]);
        yield return Case("""
            [1.0000000e-01 3.3333334e-01 1.0000000e+09]
            """, new Shape(3), [0.1f, 1f / 3, 1e9f]);
        yield return Case("""
            [ 1.e-05 -1.e+00]
            """, new Shape(2), [1e-5f, -1]);
        yield return Case("""
            [1.e+20 1.e+30]
            """, new Shape(2), [1e20f, 1e30f]);
        yield return Case("""
            [ nan   1. -inf]
            """, new Shape(3), [float.NaN, 1, float.NegativeInfinity]);
        yield return Case("""
            [[         nan 1.000000e-10]
             [         inf 1.234567e+06]]
            """, new Shape(2, 2), [float.NaN, 1e-10f, float.PositiveInfinity, 1234567]);
        yield return Case("""
            [ nan -inf]
            """, new Shape(2), [float.NaN, float.NegativeInfinity]);
        yield return Case("""
            [-0.  0.]
            """, new Shape(2), [-0f, 0]);
        yield return Case("""
            [1.6777216e+07 1.2345678e-04]
            """, new Shape(2), [16777217, 0.00012345678f]);
        yield return Case("""
            [1.2345678e-01 1.2345678e-04]
            """, new Shape(2), [0.12345678f, 0.00012345678f]);
        yield return Case("""
            2.5
            """, new Shape(), [2.5f]);
        yield return Case("""
            3.0
            """, new Shape(), [3]);
        yield return Case("""
            [-6.25  -1.625  3.    -5.    -0.375  4.25  -3.75   0.875  5.5   -2.5
              2.125 -5.875 -1.25   3.375 -4.625  0.     4.625 -3.375  1.25   5.875
             -2.125  2.5   -5.5   -0.875  3.75  -4.25   0.375  5.    -3.     1.625
              6.25  -1.75   2.875 -5.125 -0.5    4.125 -3.875  0.75   5.375 -2.625]
            """, new Shape(40), Eighths(40));
        yield return Case("""
            [[[-6.25  -1.625  3.    -5.   ]
              [-0.375  4.25  -3.75   0.875]
              [ 5.5   -2.5    2.125 -5.875]]

             [[-1.25   3.375 -4.625  0.   ]
              [ 4.625 -3.375  1.25   5.875]
              [-2.125  2.5   -5.5   -0.875]]]
            """, new Shape(2, 3, 4), Eighths(24));
        yield return Case("""
            [[[[-6.25  -1.625]
               [ 3.    -5.   ]]

              [[-0.375  4.25 ]
               [-3.75   0.875]]]


             [[[ 5.5   -2.5  ]
               [ 2.125 -5.875]]

              [[-1.25   3.375]
               [-4.625  0.   ]]]]
            """, new Shape(2, 2, 2, 2), Eighths(16));
        yield return Case("""
            [-6.25  -1.625  3.    ...  1.375  6.    -2.   ]
            """, new Shape(1001), Eighths(1001));
        yield return Case("""
            [[-6.25  -1.625  3.    ...  0.5    5.125 -2.875]
             [ 1.75  -6.25  -1.625 ... -4.125  0.5    5.125]
             [-2.875  1.75  -6.25  ...  3.875 -4.125  0.5  ]
             ...
             [-0.375  4.25  -3.75  ... -6.25  -1.625  3.   ]
             [-5.    -0.375  4.25  ...  1.75  -6.25  -1.625]
             [ 3.    -5.    -0.375 ... -2.875  1.75  -6.25 ]]
            """, new Shape(100, 100), Eighths(10_000));
        yield return Case("""
            [[[-6.25  -1.625  3.    ...  0.5    5.125 -2.875]
              [ 1.75  -6.25  -1.625 ... -4.125  0.5    5.125]]

             [[-2.875  1.75  -6.25  ...  3.875 -4.125  0.5  ]
              [ 5.125 -2.875  1.75  ... -0.75   3.875 -4.125]]

             [[ 0.5    5.125 -2.875 ... -5.375 -0.75   3.875]
              [-4.125  0.5    5.125 ...  2.625 -5.375 -0.75 ]]

             ...

             [[-5.375 -0.75   3.875 ...  1.375  6.    -2.   ]
              [ 2.625 -5.375 -0.75  ... -3.25   1.375  6.   ]]

             [[-2.     2.625 -5.375 ...  4.75  -3.25   1.375]
              [ 6.    -2.     2.625 ...  0.125  4.75  -3.25 ]]

             [[ 1.375  6.    -2.    ... -4.5    0.125  4.75 ]
              [-3.25   1.375  6.    ...  3.5   -4.5    0.125]]]
            """, new Shape(7, 2, 100), Eighths(1400));
        yield return Case("""
            [[-6.25  -1.625  3.    ...  2.625 -5.375 -0.75 ]
             [ 3.875 -4.125  0.5   ...  0.125  4.75  -3.25 ]]
            """, new Shape(2, 600), Eighths(1200));
        yield return Case("""
            []
            """, new Shape(0), []);
        yield return Case("""
            []
            """, new Shape(3, 0), []);
    }

    [TestCaseSource(nameof(Cases))]
    public void Floats_LookAsInNumPy(string expected, Shape shape, float[] values)
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Assert.That($"{Tensor.From(device, values, shape)}",
            Is.EqualTo($"Tensor {shape} Float32 on cpu\n{expected.ReplaceLineEndings("\n")}"));
    }

    [Test]
    public void WholeNumbers_StandUnderEachOther()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        var x = Tensor.FromInts(device, [1, -20, 300, 4], new Shape(2, 2));
        Assert.That($"{x}", Is.EqualTo("Tensor (2, 2) Int32 on cpu\n[[  1 -20]\n [300   4]]"));
    }

    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void Text_IsTheSame_OnEveryDevice(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        var all = Tensor.From(device, Eighths(2 * 1200), new Shape(2, 2, 600));
        Assert.That($"{all.Alias(new Shape(2, 600), 1200)}",
            Does.StartWith($"Tensor (2, 600) Float32 on {name}\n[[").And.Contains(" ... "));
        Assert.That($"{all.Alias(new Shape(3), 2)}", Is.EqualTo($"Tensor (3) Float32 on {name}\n[ 3.    -5.    -0.375]"));
    }

    [Test]
    public void WhatHasEnded_OrIsInOtherHands_HasALineAlone()
    {
        using var device = Device.Open("cpu", new DeviceOptions { Threads = 1 });
        var x = Tensor.From(device, [1, 2]);
        using (device.BeginArena())
            Assert.That(Task.Run(() => $"{x}").Result, Is.EqualTo("Tensor (2) Float32 on cpu"));
        x.Dispose();
        Assert.That($"{x}", Is.EqualTo("Tensor (2) Float32 on cpu (ended)"));
        var y = Tensor.From(device, [1, 2]);
        device.Dispose();
        Assert.That($"{y}", Is.EqualTo("Tensor (2) Float32 on cpu (ended)"));
    }

    private static TestCaseData Case(string expected, Shape shape, params float[] values) =>
        new TestCaseData(expected, shape, values)
            .SetArgDisplayNames(expected.ReplaceLineEndings(" ")[..Math.Min(24, expected.Length)], $"{shape}");

    private static float[] Eighths(int n) => [.. Enumerable.Range(0, n).Select(i => ((i * 37 % 101) - 50) / 8f)];
}
