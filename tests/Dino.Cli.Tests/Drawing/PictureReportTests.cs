using Dino.Cli.Drawing;
using Dino.Testing.Runs;
using Dino.Train.Evaluation.Attention;
using Dino.Train.Log;
using NUnit.Framework;
using SkiaSharp;

namespace Dino.Cli.Tests.Drawing;

public class PictureReportTests
{
    private string folder = "";

    [SetUp]
    public void MakeFolder() =>
        folder = Directory.CreateDirectory(Path.Combine(TestContext.CurrentContext.WorkDirectory, Guid.NewGuid().ToString("N"))).FullName;

    [TearDown]
    public void Delete() => Directory.Delete(folder, recursive: true);

    /// <summary>The library's build without dependencies has no fonts; text drawn with its default face leaves no pixel.</summary>
    [TestCase(false)]
    [TestCase(true)]
    public void Letters_LeaveInk_ForEveryCharacterThatLabelsNeed(bool bold)
    {
        using var face = ReportFont.Create(bold);
        using var font = new SKFont(face, 32);
        using var paint = new SKPaint { Color = SKColors.Black };
        Assert.That(face.FamilyName, Is.EqualTo(ReportFont.Family));
        Assert.That(face.IsBold, Is.EqualTo(bold));
        // ASCII, what labels of our own have, and letters of names in other languages.
        foreach (char character in Enumerable.Range(33, 94).Select(code => (char)code).Concat("−·…→|‖äéßñøčΩж"))
        {
            Assert.That(font.GetGlyph(character), Is.Not.Zero, $"'{character}' has no glyph");
            using var bitmap = new SKBitmap(48, 48, SKColorType.Gray8, SKAlphaType.Opaque);
            using (var canvas = new SKCanvas(bitmap))
            {
                canvas.Clear(SKColors.White);
                canvas.DrawText(character.ToString(), 8, 34, SKTextAlign.Left, font, paint);
            }
            Assert.That(bitmap.GetPixelSpan().ToArray().Count(value => value < 128), Is.GreaterThan(2), $"'{character}' leaves no ink");
        }
    }

    [Test]
    public void Sheet_HasARowForEachPicture_AndItsMapsShowWhereTheAttentionIs()
    {
        string one = Path.Combine(folder, "one.png"), two = Path.Combine(folder, "two.png");
        AttentionSheet.Write(one, "attention", [Picture()]);
        AttentionSheet.Write(two, "attention", [Picture(), Picture()]);

        using var small = SKBitmap.Decode(one);
        using var large = SKBitmap.Decode(two);
        Assert.That(large.Width, Is.EqualTo(small.Width));
        Assert.That(large.Height - small.Height, Is.EqualTo(112 + 22 + 10), "168 wide, so 112 tall; a name; a gap");
        // Head 2 attends to the bottom right patch alone: its map, the last column, is bright there and dark at the opposite corner.
        int right = small.Width - 32 - 20, top = 32 + 62 + 26;
        Assert.That(small.GetPixel(right, top + 100).Red, Is.GreaterThan(180));
        Assert.That(small.GetPixel(right - 130, top + 8).Red, Is.LessThan(40));
    }

    [Test]
    public void Files_AreOfThePicturesSize_AndMasksAreBlocksOfPatches()
    {
        var written = AttentionFiles.Write(folder, Picture());

        Assert.That(written.Select(Path.GetFileName), Is.EquivalentTo(new[]
        {
            "picture.png", "attention-mean.png", "attention-head1.png", "attention-head2.png", "mask-mean.png", "mask-head1.png",
            "mask-head2.png", "overlay.png",
        }));
        foreach (string path in written)
        {
            using var picture = SKBitmap.Decode(path);
            Assert.That((picture.Width, picture.Height), Is.EqualTo((48, 32)), path);
        }
        using var mask = SKBitmap.Decode(Path.Combine(folder, "mask-head2.png"));
        for (int y = 0; y < 32; y++)
        {
            for (int x = 0; x < 48; x++)
                Assert.That(mask.GetPixel(x, y).Red, Is.EqualTo(x >= 40 && y >= 24 ? 255 : 0), $"({x}, {y})");
        }
    }

    [Test]
    public void Curves_CarryLabels_AndAreDrawnFromTheLogAsFromTheSteps()
    {
        string log = Path.Combine(folder, "log.jsonl"), direct = Path.Combine(folder, "a.png"), read = Path.Combine(folder, "b.png");
        StepRow[] steps = [.. Enumerable.Range(0, 40).Select(i => DinoRow.Of(i, 6 - 0.05 * i, 5 - 0.05 * i, Math.Log(1024)))];
        using (var writer = RunLog.Open(log))
        {
            foreach (var step in steps)
                writer.Write(step);
        }

        CurvePlot.WriteSteps(direct, steps);
        CurvePlot.WriteLog(read, log, DinoRow.Measures);

        Assert.That(File.ReadAllBytes(read), Is.EqualTo(File.ReadAllBytes(direct)));
        using var picture = SKBitmap.Decode(direct);
        int ink = 0;
        for (int y = 0; y < 40; y++)
        {
            for (int x = 0; x < picture.Width; x++)
                ink += picture.GetPixel(x, y).Red < 128 ? 1 : 0;
        }
        Assert.That(ink, Is.GreaterThan(300), "the title has no letters");
    }

    [Test]
    public void Smoothing_KeepsAStraightLine_AndQuietensNoise()
    {
        double[] line = [.. Enumerable.Range(0, 200).Select(i => 0.5 * i)];
        double[] noise = [.. Enumerable.Range(0, 200).Select(i => i % 2 == 0 ? 1.0 : -1.0)];

        double[] smooth = CurvePlot.Smooth(line);

        for (int i = 20; i < 180; i++)
            Assert.That(smooth[i], Is.EqualTo(line[i]).Within(1e-9));
        Assert.That(CurvePlot.Smooth(noise).Skip(20).Take(160).Max(Math.Abs), Is.LessThan(0.05));
    }

    /// <summary>A grey 48 × 32 picture of 6 × 4 patches; head 1 attends to the top left patch, head 2 to the bottom right one.</summary>
    private static AttentionPicture Picture()
    {
        byte[] rgb = new byte[48 * 32 * 3];
        Array.Fill(rgb, (byte)128);
        float[] attention = new float[2 * 24];
        Array.Fill(attention, 0.01f);
        attention[0] = 1;
        attention[^1] = 1;
        return new("grey", rgb, 48, 32, attention, heads: 2, rows: 4, columns: 6);
    }
}
