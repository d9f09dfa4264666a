using Dino.Testing;
using Dino.Train.Evaluation;
using Dino.Train.Evaluation.LinearProbe;
using NUnit.Framework;

namespace Dino.Train.Tests.Golden;

/// <summary>Linear classifiers as the official code saves them.</summary>
[Category("Golden")]
public class LinearClassifierGoldenTests
{
    private const string Expected = "linear.";

    private static IEnumerable<GoldenCheckpoint> Files =>
        GoldenCheckpoints.Good.Where(file => file.Compare.Any(pair => pair.Expected == Expected));

    private string scratch = "";

    [SetUp]
    public void MakeFolder() => scratch = Directory.CreateTempSubdirectory("dino-linear-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(scratch, recursive: true);

    [TestCaseSource(nameof(Files))]
    public void AreRead_AndWrittenAgain(GoldenCheckpoint file)
    {
        var classifier = LinearClassifierFile.Read(file.Path);
        string copy = Path.Combine(scratch, "linear.safetensors");
        LinearClassifierFile.Write(copy, classifier);

        foreach (var tensors in (IReadOnlyList<Dino.Tensors.Nn.HostTensor>[])[classifier, LinearClassifierFile.Read(copy)])
        {
            Assert.That(tensors.Select(tensor => tensor.Name), Is.EqualTo(new[] { "linear.weight", "linear.bias" }));
            foreach (var tensor in tensors)
            {
                Assert.That(tensor.Values, Is.EqualTo(GoldenCheckpoints.Expected.Floats(tensor.Name)), tensor.Name);
                Assert.That(tensor.Shape.ToArray(), Is.EqualTo(GoldenCheckpoints.Expected.Shape(tensor.Name)), tensor.Name);
            }
        }
    }

    [Test]
    public void OtherFiles_HoldNone()
    {
        var backbone = GoldenCheckpoints.Good.First(file => file.Compare.All(pair => pair.Expected != Expected));

        Assert.That(() => LinearClassifierFile.Read(backbone.Path),
            Throws.TypeOf<EvaluationException>().With.Message.Contains("holds no linear classifier"));
    }
}
