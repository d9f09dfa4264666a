using Dino.Train.Evaluation.Attention;
using Dino.Train.Evaluation.Segmentation;
using NUnit.Framework;

namespace Dino.Train.Tests.Evaluation;

public class SegmentScoreTests
{
    private const int Rows = 3, Columns = 4, Patch = 8;

    [Test]
    public void APerfectMask_HasAJaccardOfOne()
    {
        bool[] mask = new bool[Rows * Columns];
        (mask[1], mask[2], mask[6]) = (true, true, true);
        byte[] objects = Paint((1, 7), (2, 7), (6, 7));
        var overlap = new PatchOverlap(objects, Columns * Patch, Rows * Patch, Rows, Columns);

        Assert.That(overlap.Ids, Is.EqualTo(new byte[] { 7 }));
        Assert.That((overlap.Jaccard(0, mask), overlap.Foreground(mask)), Is.EqualTo((1d, 1d)));
    }

    /// <summary>Nine tenths of the attention lie in one patch, so both masks are that patch.</summary>
    [Test]
    public void AttentionOnTheObjectAlone_ScoresOne_ForBothMasses()
    {
        var score = new SegmentScore(2, 0.6, 0.8);
        double[] objects = score.Add(Attention(head1: 5, head2: 0), Paint((5, 1)), Columns * Patch, Rows * Patch);

        Assert.That(objects, Is.EqualTo(new[] { 1d }));
        foreach (var accuracy in score.Accuracies)
            Assert.That((accuracy.BestHead, accuracy.FixedHead, accuracy.Head, accuracy.ForegroundBestHead), Is.EqualTo((1d, 1d, 1, 1d)));
    }

    /// <summary>
    /// Each of two objects has a head of its own; one head for all gets half of them, and the objects as one are twice as large.
    /// </summary>
    [Test]
    public void TheBestHead_IsChosenForEachObject_AndAveragesAreByPicture()
    {
        var score = new SegmentScore(2, 0.6);
        score.Add(Attention(head1: 5, head2: 0), Paint((5, 1), (0, 2)), Columns * Patch, Rows * Patch);

        var accuracy = score.Accuracies[0];
        Assert.That((accuracy.BestHead, accuracy.FixedHead, accuracy.ForegroundBestHead), Is.EqualTo((1d, 0.5, 0.5)));

        score.Add(Attention(head1: 5, head2: 0), Paint((11, 1)), Columns * Patch, Rows * Patch); // no head looks there
        score.Add(Attention(head1: 5, head2: 0), Paint(), Columns * Patch, Rows * Patch); // no object
        Assert.That((score.Pictures, score.Objects, score.Accuracies[0].BestHead), Is.EqualTo((2, 3, 0.5)));
    }

    [Test]
    public void MasksAreComparedAtTheResolutionOfTheObjects()
    {
        // 2 × 2 patches over 5 × 3 pixels: patch columns take 3 and 2 pixels, patch rows 2 and 1.
        byte[] objects =
        [
            1, 1, 1, 0, 0,
            1, 1, 1, 0, 0,
            0, 0, 0, 0, 0,
        ];
        var overlap = new PatchOverlap(objects, 5, 3, 2, 2);

        Assert.That(overlap.Jaccard(0, [true, false, false, false]), Is.EqualTo(1));
        Assert.That(overlap.Jaccard(0, [true, true, false, false]), Is.EqualTo(6.0 / 10));
    }

    private static AttentionPicture Attention(int head1, int head2)
    {
        int patches = Rows * Columns;
        float[] attention = new float[2 * patches];
        Array.Fill(attention, 0.1f / (patches - 1));
        (attention[head1], attention[patches + head2]) = (0.9f, 0.9f);
        return new AttentionPicture(
            "picture", new byte[3 * patches * Patch * Patch], Columns * Patch, Rows * Patch, attention, 2, Rows, Columns);
    }

    /// <summary>Whole patches of objects.</summary>
    private static byte[] Paint(params (int Patch, byte Id)[] objects)
    {
        byte[] pixels = new byte[Rows * Columns * Patch * Patch];
        foreach (var (patch, id) in objects)
        {
            for (int y = 0; y < Patch; y++)
                pixels.AsSpan((patch / Columns * Patch + y) * Columns * Patch + patch % Columns * Patch, Patch).Fill(id);
        }
        return pixels;
    }
}
