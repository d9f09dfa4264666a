using Dino.Tensors.Optim;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Optim;

/// <summary>The teacher as the moving average of the student.</summary>
public class ExponentialMovingAverageTests
{
    private static readonly (string, int[])[] Names = [("w", [5, 7]), ("last_layer.weight_g", [3, 1])];

    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void Update_MovesAllParameters_FrozenOnesToo_ButNoBuffers(string deviceName)
    {
        var device = Devices.Open(deviceName);
        using var student = new NamedTree(Names).On(device, seed: 1);
        using var teacher = new NamedTree(Names, frozen: _ => true).On(device, seed: 2, trainable: false);
        using var average = new ExponentialMovingAverage(teacher, student);
        float[] s = student.Values.ToArray(), t = teacher.Values.ToArray();
        student.Buffers[0].Value.Fill(5);
        long before = device.Launches;

        average.Update(0.996);

        Assert.That(device.Launches - before, Is.EqualTo(1));
        float[] expected = [.. t.Zip(s, (a, b) => (float)(0.996 * a + (1 - 0.996) * b))];
        new Tolerance(1e-7, 1e-7).Check<float>(teacher.Values.ToArray(), expected, "teacher");
        Assert.That(teacher.Buffers[0].Value.ToArray(), Is.All.EqualTo(1));
    }

    /// <summary>A student with a predictor before what the teacher has, in another order; long parameters are several pieces.</summary>
    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void Update_MatchesByName(string deviceName)
    {
        var device = Devices.Open(deviceName);
        using var student = new NamedTree([("predictor.weight", [9, 9]), ("b", [3]), ("backbone.weight", [70, 131]), ("c", [1, 17])])
            .On(device, seed: 1);
        using var teacher = new NamedTree([("backbone.weight", [70, 131]), ("c", [1, 17]), ("b", [3])])
            .On(device, seed: 2, trainable: false);
        using var average = new ExponentialMovingAverage(teacher, student);
        var s = student.Save().ToDictionary(tensor => tensor.Name);
        var t = teacher.Save();
        float[] others = student.Values.ToArray();
        long before = device.Launches;

        average.Update(0.75);

        Assert.That(device.Launches - before, Is.EqualTo(1));
        foreach (var (was, now) in t.Zip(teacher.Save()).SkipLast(1)) // the last is a buffer
            new Tolerance(1e-7, 1e-7).Check<float>(
                now.Values, [.. was.Values.Zip(s[was.Name].Values, (a, b) => 0.75f * a + 0.25f * b)], was.Name);
        Assert.That(student.Values.ToArray(), Is.EqualTo(others));
        Assert.That(teacher.Values.ToArray().Count(value => value != 0), Is.LessThanOrEqualTo(teacher.Count), "gaps stay 0");
    }

    /// <summary>What only the student has comes last: the same numbers as if it had nothing more.</summary>
    [Test]
    public void Update_WithAPredictorAtTheEnd_IsThatWithout_ToTheBit()
    {
        using var device = Device.Open("cpu", new DeviceOptions { Strict = true });
        float[] After(params (string, int[])[] more)
        {
            using var student = new NamedTree([.. Names, .. more]).On(device, seed: 1);
            using var teacher = new NamedTree(Names).On(device, seed: 2, trainable: false);
            using var average = new ExponentialMovingAverage(teacher, student);
            average.Update(0.9);
            return teacher.Values.ToArray();
        }

        Assert.That(After(("predictor", [4, 4])), Is.EqualTo(After()));
    }

    [Test]
    public void MomentumOfOne_KeepsTheTeacher_AndOfZero_TakesTheStudent()
    {
        using var device = Device.Open("cpu", new DeviceOptions { Strict = true });
        using var student = new NamedTree(Names).On(device, seed: 1);
        using var teacher = new NamedTree(Names).On(device, seed: 2, trainable: false);
        using var average = new ExponentialMovingAverage(teacher, student);
        float[] before = teacher.Values.ToArray();

        average.Update(1);
        Assert.That(teacher.Values.ToArray(), Is.EqualTo(before));
        average.Update(0);
        Assert.That(teacher.Values.ToArray(), Is.EqualTo(student.Values.ToArray()));
    }

    [Test]
    public void WhatTheStudentLacks_IsNamed()
    {
        using var device = Device.Open("cpu", new DeviceOptions { Strict = true });
        using var teacher = new NamedTree(Names).On(device, trainable: false);
        using var lacking = new NamedTree(Names[..1]).On(device);
        using var another = new NamedTree([Names[0], ("last_layer.weight_g", [4, 1])]).On(device);

        Assert.That(() => new ExponentialMovingAverage(teacher, lacking),
            Throws.ArgumentException.With.Message.Contains("last_layer.weight_g (3, 1)"));
        Assert.That(() => new ExponentialMovingAverage(teacher, another), Throws.ArgumentException.With.Message.Contains("(4, 1)"));
    }
}
