using Dino.Cli.Arguments;
using Dino.Testing.Runs;
using Dino.Train.Methods.Dino;
using NUnit.Framework;

namespace Dino.Cli.Tests.Terminal;

/// <summary>What a person at a command line reads of a collapse: options, where the library's finding names properties.</summary>
public class CollapseLineTests
{
    [Test]
    public void UniformCollapse_NamesOptions() => Assert.That(Line(loss: 11.0902, entropy: 11.0899), Is.EqualTo(
        "Collapse (uniform) since step 7: teacher entropy 11.090 and loss 11.090 stay at ln K = 11.090: every picture gets the same "
            + "uniform answer. "
        + "Usual causes: --teacher-temp too high (now 0.04; try 0.02), a small network without --use-bn-in-head true, --lr too high (now "
        + "0.0005), "
        + "--momentum-teacher too low for the batch (now 0.996), --center-momentum too close to 1."));

    [Test]
    public void OneDimensionalCollapse_NamesOptions() => Assert.That(Line(loss: 1e-3, entropy: 1e-4), Is.EqualTo(
        "Collapse (one prototype) since step 7: teacher entropy 0.0001 and loss 0.0010 stay near 0: every picture gets the same prototype. "
        + "Usual causes: the centre does not keep up (--center-momentum near 1), --teacher-temp too low (now 0.04; try 0.08), "
        + "--momentum-teacher too low (now 0.996; try 0.996)."));

    private static string Line(double loss, double entropy) =>
        OptionNames.InText(new CollapseWatch(patience: 1).Observe(DinoRow.Of(7, loss, entropy, Math.Log(65536)))!.ToString());
}
