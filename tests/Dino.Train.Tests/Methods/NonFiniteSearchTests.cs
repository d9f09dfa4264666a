using Dino.Tensors;
using Dino.Testing.Runs;
using Dino.Train.Log;
using Dino.Train.Methods;
using Dino.Train.Methods.Dino;
using NUnit.Framework;

namespace Dino.Train.Tests.Methods;

/// <summary>What is said of a step whose weights have been overwritten since, as on a GPU that is read every few steps.</summary>
public class NonFiniteSearchTests
{
    [Test]
    public void AfterUpdate_NamesTheGradientThatTheBackwardPassReachesFirst()
    {
        using var device = Device.Open("cpu", new DeviceOptions { Strict = true });
        using var method = new DinoMethod(TinyRun.Options, new MethodContext(device, 6));
        float[] norms = new float[method.Trained.Count];
        norms[2] = float.NaN;
        norms[^4] = float.PositiveInfinity;

        Assert.That(
            Describe(2.5, double.NaN),
            Does.StartWith($"the gradient of {method.Trained[^4].Name} has the norm ").And.EndsWith("at a loss of 2.5"));
        Assert.That(Describe(double.NaN, double.NaN), Does.StartWith("the loss is NaN").And.Contains("`Device` cpu"));

        string Describe(double loss, double gradient)
        {
            var measures = method.Measured.Measures;
            var row = new StepRow(0, 0, measures, [.. measures.Select(measure => measure.Name switch
            {
                DinoMeasures.Loss => loss,
                DinoMeasures.GradientNorm => gradient,
                _ => 1,
            })]);
            Assert.That(row.TryFindBroken(out var broken));
            return NonFiniteSearch.AfterUpdate(method, row, broken!, norms);
        }
    }
}
