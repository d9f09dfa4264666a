using Dino.Tensors.Ops;
using Dino.Tensors.Optim;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Golden;

/// <summary>The loss over consecutive steps, each with the centre that the step before it left.</summary>
[Category("Golden")]
public class LossGoldenTests
{
    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void Steps_GiveLossCentreGradientAndMonitors(string name)
    {
        var device = Devices.Open(name);
        using var tape = new Tape(device);
        using var arena = device.BeginArena();
        var set = GoldenSet.Open("loss");
        int k = set.Config.GetProperty("out").GetInt32(), crops = set.Config.GetProperty("ncrops").GetInt32();
        int batch = set.Config.GetProperty("batch").GetInt32();
        float temperature = set.Config.GetProperty("student_temp").GetSingle(),
            momentum = set.Config.GetProperty("center_momentum").GetSingle();
        float[] students = set.Floats("student"), teachers = set.Floats("teacher");
        double[] temperatures = Temperatures(set);
        var centre = Tensor.Zeros(device, new Shape(1, k));
        List<float> losses = [], centres = [], gradients = [], entropies = [], divergences = [];
        int step = 0;
        foreach (int epoch in set.Config.GetProperty("epoch_of_step").EnumerateArray().Select(e => e.GetInt32()))
        {
            using var stepArena = device.BeginArena();
            int rows = crops * batch, teacherRows = 2 * batch;
            var student = Tensor.From(device, students.AsSpan(step * rows * k, rows * k), new Shape(rows, k));
            var teacher = Tensor.From(device, teachers.AsSpan(step * teacherRows * k, teacherRows * k), new Shape(teacherRows, k));
            student.RequiresGrad = true;
            tape.Record();
            var q = teacher.CentredSoftmax(centre, (float)temperatures[epoch]);
            var loss = student.MultiViewCrossEntropy(q, batch, temperature);
            tape.Backward(loss);
            CentreUpdate.Run(centre, teacher, momentum);

            float entropy = q.RowEntropy().Item();
            losses.Add(loss.Item());
            entropies.Add(entropy);
            divergences.Add(loss.Item() - entropy);
            centres.AddRange(centre.ToArray());
            gradients.AddRange(student.Grad!.ToArray());
            step++;
        }
        set.Check<float>("loss", losses.ToArray());
        set.Check<float>("center", centres.ToArray());
        set.Check<float>("grad_student", gradients.ToArray());
        set.Check<float>("teacher_entropy", entropies.ToArray());
        set.Check<float>("kl", divergences.ToArray());
    }

    [Test]
    public void Temperatures_AreTheReferences()
    {
        var set = GoldenSet.Open("loss");
        set.Check<double>("temps", Temperatures(set));
    }

    private static double[] Temperatures(GoldenSet set)
    {
        int epochs = set.Config.GetProperty("epochs").GetInt32();
        var schedule = new WarmupSchedule(
            set.Config.GetProperty("warmup_teacher_temp").GetDouble(), set.Config.GetProperty("teacher_temp").GetDouble(),
            set.Config.GetProperty("warmup_teacher_temp_epochs").GetInt32(), epochs);
        return [.. Enumerable.Range(0, epochs).Select(schedule.At)];
    }
}
