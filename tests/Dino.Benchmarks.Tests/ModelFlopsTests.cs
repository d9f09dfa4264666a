using NUnit.Framework;

namespace Dino.Benchmarks.Tests;

/// <summary>The sizes whose operations were counted by hand for libtorch's step.</summary>
internal sealed class ModelFlopsTests
{
    [TestCase("vit_small", 16, 4, 65536, 455.3)]
    [TestCase("vit_small", 16, 4, 4096, 451.3)]
    [TestCase("vit_tiny", 16, 8, 4096, 243.5)]
    public void StepCountsTheTeacherOnceAndTheStudentThrice(string arch, int patch, int batch, int prototypes, double gflop)
    {
        var step = new StepSettings(arch, patch, batch, prototypes, LocalCrops: 8, Iters: 1, Warmup: 0, Threads: 1);
        Assert.That(ModelFlops.Step(step) / 1e9, Is.EqualTo(gflop).Within(0.05));
    }

    [Test]
    public void TokensOfAStepAreThoseOfAllCrops()
    {
        var step = new StepSettings("vit_tiny", 16, Batch: 3, 4096, LocalCrops: 8, Iters: 1, Warmup: 0, Threads: 1);
        Assert.That(step.Tokens, Is.EqualTo(3 * (2 * 197 + 8 * 37)));
    }
}
