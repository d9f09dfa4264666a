using Dino.Testing;
using Dino.Train.Evaluation.Attention;
using Dino.Train.Evaluation.Segmentation;
using NUnit.Framework;

namespace Dino.Train.Tests.Evaluation;

public class AttentionMaskTests
{
    [Test, Category("Golden")]
    public void MassMask_UpsampledMask_AndJaccard_EqualTheReference()
    {
        var golden = GoldenSet.Open("attention");
        int heads = golden.Config.GetProperty("heads").GetInt32(), rows = golden.Config.GetProperty("rows").GetInt32();
        int columns = golden.Config.GetProperty("cols").GetInt32(), patch = golden.Config.GetProperty("patch").GetInt32();
        double mass = golden.Config.GetProperty("mass").GetDouble();
        int patches = rows * columns;
        float[] query = golden.Floats("attention"), attention = new float[heads * patches];
        for (int head = 0; head < heads; head++)
            query.AsSpan(head * (1 + patches) + 1, patches).CopyTo(attention.AsSpan(head * patches));

        bool[] mask = AttentionMask.AttentionMassMask(attention, heads, mass);
        bool[] pixels = AttentionMask.UpsampleNearest<bool>(mask, heads, rows, columns, patch);
        var (_, table) = AttentionMask.JaccardTable(pixels, heads, golden.Longs("objects"));
        double[] best = AttentionMask.BestHeadJaccard(pixels, heads, golden.Longs("objects"));

        golden.Check<byte>("mask", ToBytes(mask));
        golden.Check<byte>("mask_pixels", ToBytes(pixels));
        golden.Check<double>("jaccard", table.Cast<double>().ToArray());
        var overlap = new PatchOverlap(
            Array.ConvertAll(golden.Longs("objects"), id => (byte)id), columns * patch, rows * patch, rows, columns);
        golden.Check<double>("jaccard", [.. from place in Enumerable.Range(0, overlap.Ids.Count)
                                            from head in Enumerable.Range(0, heads)
                                            select overlap.Jaccard(place, mask.AsSpan(head * patches, patches))]);
        Assert.That(best.Average(), Is.EqualTo(golden.Config.GetProperty("best_head_mean_jaccard").GetDouble()).Within(1e-12));
    }

    [Test]
    public void MassMask_KeepsTheFewestPatchesThatHoldTheMass()
    {
        // Ascending shares .1 .2 .3 .4, sums .1 .3 .6 1: with a mass of 0.5 those above 0.5 stay, with 0.75 those above 0.25.
        float[] attention = [0.4f, 0.1f, 0.3f, 0.2f];

        Assert.That(AttentionMask.AttentionMassMask(attention, 1, 0.5), Is.EqualTo(new[] { true, false, true, false }));
        Assert.That(AttentionMask.AttentionMassMask(attention, 1, 0.75), Is.EqualTo(new[] { true, false, true, true }));
        Assert.That(AttentionMask.AttentionMassMask(attention, 1, 1), Is.All.True);
        Assert.That(AttentionMask.AttentionMassMask(attention, 1, 0), Is.All.False);
    }

    [Test]
    public void MassMask_OfEqualPatches_KeepsTheLater()
    {
        float[] attention = [1, 1, 1, 1, 1, 1, 1, 1];

        Assert.That(AttentionMask.AttentionMassMask(attention, 1, 0.5),
            Is.EqualTo(new[] { false, false, false, false, true, true, true, true }));
    }

    [Test]
    public void Jaccard_OfTwoEmptyMasks_IsZero() => Assert.That(AttentionMask.Jaccard(new bool[4], new bool[4]), Is.Zero);

    [Test]
    public void BestHead_IsChosenForEachObject_AndBackgroundIsNone()
    {
        bool[] masks = [true, true, false, false, /* head 2 */ false, false, false, true];

        double[] best = AttentionMask.BestHeadJaccard(masks, 2, [7, 7, 0, 9]);

        Assert.That(best, Is.EqualTo(new[] { 1.0, 1.0 }));
    }

    [Test]
    public void WrongSizes_AreRefusedWithBothSizes()
    {
        Assert.That(() => AttentionMask.AttentionMassMask(new float[7], 2, 0.6),
            Throws.ArgumentException.With.Message.Contains("7").And.Message.Contains("2"));
        Assert.That(() => AttentionMask.AttentionMassMask(new float[6], 2, 1.5), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => AttentionMask.Jaccard(new bool[3], new bool[4]), Throws.ArgumentException);
    }

    private static byte[] ToBytes(bool[] mask) => Array.ConvertAll(mask, kept => kept ? (byte)1 : (byte)0);
}
