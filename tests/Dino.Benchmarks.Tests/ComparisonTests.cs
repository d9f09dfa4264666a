using Dino.Benchmarks.Commands;
using Dino.Pictures.Decoding;
using NUnit.Framework;

namespace Dino.Benchmarks.Tests;

internal sealed class ComparisonTests
{
    [Test]
    public void ProgramsTakeTurnsInGoingFirstAndAreNotMixedUp()
    {
        var comparison = new Comparison("command", "sizes", pairs: 3);
        string order = "";
        comparison.Alternate(() => Ran("o", 1.0), () => Ran("p", 2.0), (ours, peer) => comparison.Add("time", "ms", ours, peer));
        Assert.That(order, Is.EqualTo("oppoop"));
        var row = comparison.Report().Rows.Single();
        Assert.That((row.Unit, row.Ours.Median, row.Peer.Median, row.Ratio.Max), Is.EqualTo(("ms", 1.0, 2.0, 0.5)));

        double Ran(string name, double time)
        {
            order += name;
            return time;
        }
    }

    [Test]
    public void SharesAreOfTheHighestPeakOfAllPairs()
    {
        var comparison = new Comparison("command", "sizes", pairs: 2);
        comparison.AddWhole((1, 1), (1, 1), gflop: 50, milliseconds: (500, 1000), peak: 100);
        comparison.AddWhole((1, 1), (1, 1), gflop: 50, milliseconds: (500, 1000), peak: 200);
        var share = comparison.Report().Rows[^1];
        Assert.That((share.Unit, share.Ours.Max, share.Peer.Max, share.Ratio.Median), Is.EqualTo(("%", 50.0, 25.0, 2.0)));
    }

    [Test]
    public void EachWayToDecode_HasRowsOfItsOwn_BesideTheSamePeer()
    {
        var comparison = new Comparison("command", "sizes", pairs: 1);
        CompareCropsCommand.Add(comparison, [(DecodeMode.Exact, Report(8)), (DecodeMode.Fast, Report(10))], Report(2));

        Assert.That(
            comparison.Report().Rows.Where(row => row.Unit == "images/CPU-s").Select(row => (row.Measured, row.Ratio.Median)),
            Is.EqualTo(new[] { ("rate of a core (exact)", 4.0), ("rate of a core (fast)", 5.0) }));

        static CropsReport Report(double rate) => new("crops", 1, 1, rate, rate, 1, 1);
    }

    [Test]
    public void RowsAreAddedToAFileOfTheSameColumnsAlone()
    {
        string path = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"{Guid.NewGuid():N}.csv");
        var comparison = new Comparison("command", "one, two", pairs: 1);
        comparison.Add("time", "ms", 1, 2);
        try
        {
            ComparisonCsv.Append(comparison.Report(), path);
            ComparisonCsv.Append(comparison.Report(), path);
            string[] lines = File.ReadAllLines(path);
            Assert.That(lines, Has.Length.EqualTo(3));
            Assert.That(lines[1], Does.Contain("\"one, two\",time,ms,1,1,2,2,0.5,0.5,0.5,0.5,command"));
            File.WriteAllText(path, "other,columns\n");
            Assert.That(() => ComparisonCsv.Append(comparison.Report(), path), Throws.InstanceOf<IOException>());
        }
        finally
        {
            File.Delete(path);
        }
    }
}
