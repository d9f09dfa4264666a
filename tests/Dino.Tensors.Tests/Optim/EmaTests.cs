using Dino.Tensors.Nn;
using Dino.Tensors.Optim;
using Dino.Tensors.Tests.Nn;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Optim;

/// <summary>The teacher as the moving average of the student.</summary>
public class EmaTests
{
    private static readonly (string, int[])[] Names = [("w", [5, 7]), ("last_layer.weight_g", [3, 1])];

    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void Update_MovesAllParameters_FrozenOnesToo_ButNoBuffers(string deviceName)
    {
        var device = Devices.Open(deviceName);
        using var student = new FlatParameters(new NamedTree(Names), device, trainable: true);
        using var teacher = new FlatParameters(new NamedTree(Names, frozen: _ => true), device, trainable: false);
        student.Initialize(1);
        teacher.Initialize(2);
        float[] s = student.Values.ToArray(), t = teacher.Values.ToArray();
        student.Buffers[0].Value.Fill(5);
        long before = device.Launches;

        Ema.Update(teacher, student, 0.996);

        Assert.That(device.Launches - before, Is.EqualTo(1));
        float[] expected = [.. t.Zip(s, (a, b) => (float)(0.996 * a + (1 - 0.996) * b))];
        new Tolerance(1e-7, 1e-7).Check<float>(teacher.Values.ToArray(), expected, "teacher");
        Assert.That(teacher.Buffers[0].Value.ToArray(), Is.All.EqualTo(1));
    }

    [Test]
    public void MomentumOfOne_KeepsTheTeacher_AndOfZero_TakesTheStudent()
    {
        using var device = Device.Open("cpu", new DeviceOptions { Strict = true });
        using var student = new FlatParameters(new NamedTree(Names), device, trainable: true);
        using var teacher = new FlatParameters(new NamedTree(Names), device, trainable: false);
        student.Initialize(1);
        teacher.Initialize(2);
        float[] before = teacher.Values.ToArray();

        Ema.Update(teacher, student, 1);
        Assert.That(teacher.Values.ToArray(), Is.EqualTo(before));
        Ema.Update(teacher, student, 0);
        Assert.That(teacher.Values.ToArray(), Is.EqualTo(student.Values.ToArray()));
    }

    [Test]
    public void TreesThatDiffer_AreAnError()
    {
        using var device = Device.Open("cpu", new DeviceOptions { Strict = true });
        using var student = new FlatParameters(new NamedTree(Names), device, trainable: true);
        using var teacher = new FlatParameters(new NamedTree(Names[..1]), device, trainable: false);

        Assert.That(() => Ema.Update(teacher, student, 0.9), Throws.ArgumentException.With.Message.Contains("last_layer.weight_g (3, 1)"));
    }
}
