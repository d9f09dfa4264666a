using Dino.Pictures.DataSets;
using Dino.Train.Evaluation.Retrieval;
using NUnit.Framework;

namespace Dino.Train.Tests.Evaluation;

public class RetrievalScoreTests
{
    /// <summary>Areas of trapezoids, written out: the first right answer at once, the second third.</summary>
    [Test]
    public void AveragePrecision_IsTheAreaUnderStraightLines()
    {
        Assert.That(AveragePrecision.Of([0, 1, 2], 3), Is.EqualTo(1).Within(1e-12));
        Assert.That(AveragePrecision.Of([0, 2], 2), Is.EqualTo(((1 + 1) + (1 / 2.0 + 2 / 3.0)) / 4).Within(1e-12));
        Assert.That(AveragePrecision.Of([1], 1), Is.EqualTo((0 + 1 / 2.0) / 2).Within(1e-12));
        Assert.That(AveragePrecision.Of([0], 2), Is.EqualTo(0.5).Within(1e-12), "the answer that was not found counts");
        Assert.That(AveragePrecision.Of([], 2), Is.Zero);
    }

    /// <summary>Ranking 5 0 3 1 4 2 with easy 0 2, hard 3, junk 5.</summary>
    [Test]
    public void WhatDoesNotCount_IsTakenOutOfTheRanking()
    {
        var result = RetrievalScore.Evaluate([[5, 0, 3, 1, 4, 2]], [new RetrievalQuery([0, 2], [3], [5], null)]);

        // easy: without 5 and 3, the ranking is 0 1 4 2: places 0 and 3
        Assert.That(result[0].MeanAveragePrecision, Is.EqualTo(AveragePrecision.Of([0, 3], 2)).Within(1e-12));
        // medium: without 5, it is 0 3 1 4 2: places 0, 1 and 4
        Assert.That(result[1].MeanAveragePrecision, Is.EqualTo(AveragePrecision.Of([0, 1, 4], 3)).Within(1e-12));
        // hard: without 5, 0 and 2, it is 3 1 4: place 0
        Assert.That(result[2].MeanAveragePrecision, Is.EqualTo(1).Within(1e-12));
        Assert.That(result[1].MeanPrecision, Is.EqualTo(new[] { 1, 3.0 / 5, 3.0 / 5 }).Within(1e-12),
            "at 10 it stops at the last right answer");
        Assert.That(result.Select(accuracy => accuracy.Protocol), Is.EqualTo(new[] { "easy", "medium", "hard" }));
    }

    [Test]
    public void QueriesWithoutARightAnswer_AreLeftOut()
    {
        var result = RetrievalScore.Evaluate([[0, 1], [1, 0]],
            [new RetrievalQuery([0], [], [], null), new RetrievalQuery([], [1], [], null)]);

        Assert.That((result[0].Queries, result[1].Queries, result[2].Queries), Is.EqualTo((1, 2, 1)));
        Assert.That(result.Select(accuracy => accuracy.MeanAveragePrecision), Is.All.EqualTo(1d));
    }
}
