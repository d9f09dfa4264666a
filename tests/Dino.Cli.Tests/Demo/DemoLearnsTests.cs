using System.Text.Json;
using Dino.Cli.Arguments;
using Dino.Cli.Tests.Commands;
using NUnit.Framework;

namespace Dino.Cli.Tests.Demo;

/// <summary>
/// The main job from end to end. It takes minutes, so it runs only where <c>DINO_TEST_DEMO</c> is set, as it is in <c>.ci/run</c>.
/// </summary>
[Category("Demo")]
public class DemoLearnsTests
{
    [Test]
    public void TrainedWeightsBeatRandomOnesAndRawPixels()
    {
        if (Environment.GetEnvironmentVariable("DINO_TEST_DEMO") is null)
            Assert.Inconclusive("Minutes of training: set DINO_TEST_DEMO=1 to run it.");
        string folder = Path.Combine(TestContext.CurrentContext.WorkDirectory, "demo-" + Guid.NewGuid().ToString("N"));
        try
        {
            var run = DinoProcess.Run("demo", "--json", "--device", "cpu", "--output-dir", folder);
            TestContext.Out.WriteLine(run.Output);
            Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);

            using var json = JsonDocument.Parse(run.Output);
            double Number(string name) => json.RootElement.GetProperty(name).GetDouble();
            Assert.Multiple(() =>
            {
                Assert.That(Number("rawPixelTop1"), Is.LessThan(40));
                Assert.That(Number("knnTop1"), Is.GreaterThan(Number("rawPixelTop1")));
                Assert.That(Number("knnTop1"), Is.GreaterThanOrEqualTo(Number("knnTop1Random") + 20));
                Assert.That(Number("jaccard"), Is.GreaterThan(Number("jaccardRandom")));
                foreach (var picture in json.RootElement.GetProperty("pictures").EnumerateArray())
                    Assert.That(picture.GetString(), Does.Exist);
                Assert.That(json.RootElement.GetProperty("pictures").GetArrayLength(), Is.EqualTo(3));
            });
        }
        finally
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
    }
}
