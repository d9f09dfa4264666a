using System.Text.Json;
using Dino.Tensors.Optim;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Golden;

/// <summary>The schedules against the reference: every step of every configuration, and the means that ImageNet runs log.</summary>
[Category("Golden")]
public class SchedulesGoldenTests
{
    private static readonly GoldenSet Set = GoldenSet.Open("schedules");

    public static IEnumerable<int> Configs => Enumerable.Range(0, Set.Config.GetProperty("configs").GetArrayLength());

    [TestCaseSource(nameof(Configs))]
    public void LearningRate(int i)
    {
        var c = Config.Of(i);
        Check($"{i}.lr", new CosineSchedule(
            c["lr"] * c["batch_total"] / 256, c["min_lr"], c.Int("epochs"), c.Int("steps_per_epoch"), c.Int("warmup_epochs")));
    }

    [TestCaseSource(nameof(Configs))]
    public void WeightDecay(int i)
    {
        var c = Config.Of(i);
        Check($"{i}.wd", new CosineSchedule(c["weight_decay"], c["weight_decay_end"], c.Int("epochs"), c.Int("steps_per_epoch")));
    }

    [TestCaseSource(nameof(Configs))]
    public void TeacherMomentum(int i)
    {
        var c = Config.Of(i);
        Check($"{i}.momentum", new CosineSchedule(c["momentum_teacher"], 1, c.Int("epochs"), c.Int("steps_per_epoch")));
    }

    [TestCaseSource(nameof(Configs))]
    public void TeacherTemperature(int i)
    {
        var c = Config.Of(i);
        var schedule = new WarmupSchedule(
            c["warmup_teacher_temp"], c["teacher_temp"], c.Int("warmup_teacher_temp_epochs"), c.Int("epochs"));

        double[] values = [.. Enumerable.Range(0, schedule.Epochs).Select(schedule.At)];

        Set.Check<double>($"{i}.teacher_temp", values);
    }

    // The set names the run (512 images a step, 100 epochs of 2502 steps) and its means; the other options are the published defaults.
    [TestCase("lr", 0)]
    [TestCase("lr", 49)]
    [TestCase("wd", 0)]
    [TestCase("wd", 49)]
    public void ImageNetRun_LogsTheMeansOfTheReference(string value, int epoch)
    {
        const int StepsPerEpoch = 2502;
        var expected = Set.Config.GetProperty("imagenet_512_100ep_2502it");
        var schedule = value == "lr"
            ? new CosineSchedule(5e-4 * 512 / 256, 1e-6, epochs: 100, StepsPerEpoch, warmupEpochs: 10)
            : new CosineSchedule(0.04, 0.4, epochs: 100, StepsPerEpoch);

        double mean = Enumerable.Range(epoch * StepsPerEpoch, StepsPerEpoch).Average(step => schedule.At(step));

        new Tolerance(0, expected.GetProperty("rtol").GetDouble())
            .Check<double>([mean], [expected.GetProperty($"mean_{value}_epoch{epoch}").GetDouble()], $"mean {value} of epoch {epoch}");
    }

    private static void Check(string name, CosineSchedule schedule)
    {
        double[] values = new double[schedule.Steps];
        for (int step = 0; step < values.Length; step++)
            values[step] = schedule.At(step);
        Set.Check<double>(name, values);
    }

    private readonly record struct Config(JsonElement Json)
    {
        public double this[string key] => Json.GetProperty(key).GetDouble();

        public static Config Of(int i) => new(Set.Config.GetProperty("configs")[i]);

        public int Int(string key) => Json.GetProperty(key).GetInt32();
    }
}
