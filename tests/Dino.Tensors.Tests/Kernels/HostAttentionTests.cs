using System.Runtime.Intrinsics;
using Dino.Tensors.Kernels.Attention;
using Dino.Tensors.Kernels.Host;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>The host's attention, forward and backward, against double precision, in all three vector widths.</summary>
public unsafe class HostAttentionTests
{
    [TestCase(1, 1, 1, 1)]
    [TestCase(2, 5, 3, 8)]
    [TestCase(1, 6, 2, 16)]
    [TestCase(2, 16, 1, 24)]
    [TestCase(1, 17, 5, 6)]
    [TestCase(2, 37, 2, 64)]
    [TestCase(1, 197, 2, 64)]
    [TestCase(1, 50, 1, 130)]
    [TestCase(1, 300, 1, 64)]
    [TestCase(1, 600, 1, 12)]
    public void ForwardAndBackward_MatchDoublePrecision(int images, int tokens, int heads, int dim)
    {
        var reference = new AttentionReference(new AttentionShape(images, tokens, heads, dim));
        using var team = new HostTeam(2);
        foreach (int width in HostGemmTests.Widths)
        {
            var run = new Run(reference, team, width, accumulate: false);
            AttentionReference.AreClose(run.Result, reference.Result, 2e-6, $"{width} bits, result");
            AttentionReference.AreClose(AttentionReference.LogSums(run.Stats, MathF.Log(2)), reference.Lse, 2e-6,
                $"{width} bits, row sums");
            AttentionReference.AreClose(run.Weights, reference.Weights, 2e-6, $"{width} bits, weights");
            AttentionReference.AreClose(run.GradQkv, reference.GradQkv, 5e-6, $"{width} bits, gradient");
        }
    }

    [Test]
    public void LargeScores_DoNotOverflow()
    {
        var reference = new AttentionReference(new AttentionShape(1, 40, 1, 16), spread: 30);
        using var team = new HostTeam(1);
        var run = new Run(reference, team, 256, accumulate: false);
        // Scores near 1000 carry errors of 1e-4 into the exponent.
        AttentionReference.AreClose(run.Result, reference.Result, 2e-4, "result");
        AttentionReference.AreClose(run.GradQkv, reference.GradQkv, 5e-4, "gradient");
    }

    [Test]
    public void Backward_AddsToAGradient_WhenAsked()
    {
        var reference = new AttentionReference(new AttentionShape(2, 37, 2, 8));
        using var team = new HostTeam(2);
        var run = new Run(reference, team, 256, accumulate: true); // onto a gradient of ones
        AttentionReference.AreClose(run.GradQkv, [.. reference.GradQkv.Select(x => x + 1)], 5e-6, "gradient");
    }

    [Test]
    public void AnyNumberOfThreads_GivesTheSameBits()
    {
        var reference = new AttentionReference(new AttentionShape(2, 530, 3, 10));
        Run[] runs = [.. new[] { 1, 2, 5 }.Select(threads =>
        {
            using var team = new HostTeam(threads);
            return new Run(reference, team, 256, accumulate: false);
        })];
        foreach (Run run in runs)
        {
            Assert.That(run.Result, Is.EqualTo(runs[0].Result));
            Assert.That(run.Stats, Is.EqualTo(runs[0].Stats));
            Assert.That(run.GradQkv, Is.EqualTo(runs[0].GradQkv));
        }
    }

    [Test]
    public void Attention_AllocatesNothing_AfterTheFirst()
    {
        using var team = new HostTeam(1);
        var shape = new AttentionShape(1, 70, 2, 16);
        float[] qkv = new float[70 * 96], result = new float[70 * 32], stats = new float[280], grad = new float[70 * 96];
        fixed (float* q = qkv, r = result, l = stats, g = grad)
        {
            long before = 0;
            for (int i = 0; i < 2; i++)
            {
                before = GC.GetAllocatedBytesForCurrentThread();
                HostAttention.Forward(team, shape, q, r, l);
                HostAttention.Backward(team, shape, q, r, l, r, g, accumulate: false);
            }
            Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        }
    }

    /// <summary>All results of one pass, buffers filled with NaN before (the gradient with ones when it is added to).</summary>
    private sealed class Run
    {
        public Run(AttentionReference reference, HostTeam team, int width, bool accumulate)
        {
            Result = Filled(reference.Result.Length, float.NaN);
            Stats = Filled(2 * reference.Lse.Length, float.NaN);
            Weights = Filled(reference.Weights.Length, float.NaN);
            GradQkv = Filled(reference.Qkv.Length, accumulate ? 1 : float.NaN);
            fixed (float* qkv = reference.Qkv, gradResult = reference.GradResult)
            {
                if (width == 128)
                    Pass<Vector128<float>, Simd128>(reference.Shape, team, qkv, gradResult, accumulate);
                else if (width == 256)
                    Pass<Vector256<float>, Simd256>(reference.Shape, team, qkv, gradResult, accumulate);
                else
                    Pass<Vector512<float>, Simd512>(reference.Shape, team, qkv, gradResult, accumulate);
            }
        }

        public float[] Result { get; }

        public float[] Stats { get; }

        public float[] Weights { get; }

        public float[] GradQkv { get; }

        private void Pass<TVector, TSimd>(AttentionShape shape, HostTeam team, float* qkv, float* gradResult, bool accumulate)
            where TVector : struct
            where TSimd : struct, ISimd<TVector>
        {
            fixed (float* result = Result, stats = Stats, weights = Weights, gradQkv = GradQkv)
            {
                HostAttention<TVector, TSimd>.Forward(team, shape, qkv, result, stats);
                HostAttention<TVector, TSimd>.Weights(team, shape, qkv, weights);
                HostAttention<TVector, TSimd>.Backward(team, shape, qkv, result, stats, gradResult, gradQkv, accumulate);
            }
        }

        private static float[] Filled(int count, float value)
        {
            float[] values = new float[count];
            Array.Fill(values, value);
            return values;
        }
    }
}
