using System.Text.Json.Nodes;
using Dino.Cli.Arguments;
using Dino.Cli.Drawing;
using Dino.Pictures.Decoding;
using Dino.Pictures.Transforms;
using Dino.Testing.Runs;
using NUnit.Framework;
using SkiaSharp;

namespace Dino.Cli.Tests.Commands;

/// <summary><c>dino augment</c> draws what training would make of a picture.</summary>
public class AugmentCommandTests
{
    private PictureFolder pictures = null!;
    private string one = null!, two = null!, sheet = null!;

    [SetUp]
    public void MakePictures()
    {
        pictures = TinyRun.MakePictures(0);
        one = pictures.WritePicture("one.png", 1, 90, 60);
        two = pictures.WritePicture("two.png", 2, 50, 80);
        sheet = Path.Combine(pictures.Root, "sheet.png");
    }

    [TearDown]
    public void Delete() => pictures.Dispose();

    [Test]
    public void ASheet_HasARowForEachDraw_AndAColumnForEachView()
    {
        var small = Draw(one, "--draws", "1", "--local-crops-number", "2");
        using var first = SKBitmap.Decode(sheet);
        var large = Draw(one, two, "--draws", "2", "--local-crops-number", "3");
        using var second = SKBitmap.Decode(sheet);

        Assert.That(small.Output, Does.EndWith($"1 picture, 1 draw each: {sheet}\n"));
        Assert.That(large.Output, Does.EndWith($"2 pictures, 2 draws each: {sheet}\n"));
        Assert.That(second.Width - first.Width, Is.EqualTo(ViewSheet.Longest + 10));
        Assert.That((second.Height - first.Height) % 3, Is.Zero);
        Assert.That(second.Height - first.Height, Is.GreaterThan(3 * ViewSheet.Longest));
    }

    [Test]
    public void TheCrops_AreThoseOfTraining_ToTheBit_AndTheJsonSaysWhatWasDone()
    {
        string size = $"{ViewSheet.Longest}"; // no smaller and no larger on the sheet
        var run = Draw(two, one, "--draws", "2", "--seed", "9", "--global-crops-size", size, "--local-crops-size", size,
            "--local-crops-number", "1", "--vflip-prob", "0.5", "--blur-prob", "0.5", "--solarize-threshold", "90", "--json");

        var usual = new MultiCropOptions();
        Recipe Changed(Recipe recipe) => recipe with { VerticalFlipProbability = 0.5, BlurProbability = 0.5, SolarizeThreshold = 90 };
        var views = new MultiCropOptions
        {
            GlobalCropsSize = ViewSheet.Longest,
            LocalCropsSize = ViewSheet.Longest,
            LocalCropsNumber = 1,
            Global1 = Changed(usual.Global1),
            Global2 = Changed(usual.Global2),
            Local = Changed(usual.Local),
        }.Views;
        var maker = new CropMaker(views);
        using var decoder = new ImageDecoder();
        using var drawn = SKBitmap.Decode(sheet);
        var draws = JsonNode.Parse(run.Output)!["draws"]!.AsArray();
        Assert.That(draws, Has.Count.EqualTo(4));
        int rowHeight = ViewSheet.Longest + 3 * 16 + 20;
        for (int row = 0; row < 4; row++)
        {
            string path = row < 2 ? two : one;
            Assert.That(((string)draws[row]!["picture"]!, (int)draws[row]!["draw"]!), Is.EqualTo((path, row % 2)));
            var picture = new RgbImage();
            decoder.Decode(path, picture);
            for (int view = 0; view < 3; view++)
            {
                var random = CropMaker.StreamOf(9, row % 2, row / 2, view);
                var plan = maker.Plan(picture.Width, picture.Height, view, ref random);
                var said = draws[row]!["views"]![view]!;
                Assert.That((string)said["view"]!, Is.EqualTo(view == 2 ? "local 1" : $"global {view + 1}"));
                Assert.That(
                    new CropBox((int)said["left"]!, (int)said["top"]!, (int)said["width"]!, (int)said["height"]!), Is.EqualTo(plan.Box));
                Assert.That(
                    ((bool)said["hflip"]!, (bool)said["vflip"]!, (bool)said["grayscale"]!, (double)said["blurRadius"]!,
                        (int?)said["solarizeThreshold"]),
                    Is.EqualTo((plan.Flip, plan.VerticalFlip, plan.Grayscale, plan.Sigma, plan.Solarize)));
                Assert.That(said["jitter"]?.AsArray().Select(step => Enum.Parse<ColorOperation>(
                    step!.AsObject().Single().Key, ignoreCase: true)), Is.EqualTo(
                    plan.Jitter is { } jitter ? Enumerable.Range(0, 4).Select(jitter.Operation) : null));
                var crop = maker.Draw(picture, view, plan);
                int left = 32 + (view + 1) * (ViewSheet.Longest + 10), top = 32 + 62 + 26 + row * rowHeight;
                for (int y = 0; y < ViewSheet.Longest; y += 7)
                    for (int x = 0; x < ViewSheet.Longest; x += 5)
                    {
                        var seen = drawn.GetPixel(left + x, top + y);
                        Assert.That(new[] { seen.Red, seen.Green, seen.Blue }, Is.EqualTo(crop.Row(y).Slice(3 * x, 3).ToArray()));
                    }
            }
        }
    }

    [Test]
    public void TheBoxes_AreDrawnInThePicture()
    {
        using (var grey = new SKBitmap(168, 168, SKColorType.Rgba8888, SKAlphaType.Opaque))
        {
            grey.Erase(new SKColor(100, 100, 100));
            using var file = File.Create(one);
            grey.Encode(file, SKEncodedImageFormat.Png, 100);
        }
        var run = Draw(one, "--draws", "1", "--local-crops-number", "0", "--json");
        var box = JsonNode.Parse(run.Output)!["draws"]![0]!["views"]![0]!;
        using var drawn = SKBitmap.Decode(sheet);

        int left = 32 + (int)box["left"]!, top = 32 + 62 + 26 + (int)box["top"]!, right = left + (int)box["width"]! - 1;
        var edge = drawn.GetPixel((left + right) / 2, top);
        Assert.That(edge.Blue - edge.Red, Is.GreaterThan(80), "cyan, on grey");
        var grey100 = new SKColor(100, 100, 100);
        int untouched = Enumerable.Range(0, 168 * 168).Count(i => drawn.GetPixel(32 + i % 168, 120 + i / 168) == grey100);
        Assert.That(untouched / (168.0 * 168), Is.InRange(0.8, 0.97), "boxes are their borders alone");
    }

    [Test]
    public void DeepPictures_AreSeenByTheirRange_AndOneChannelInGrey()
    {
        const int side = ViewSheet.Longest;
        static int Value(int x, int y) => (97 * x + 31 * y) % 4096;
        byte[] rows = [.. from y in Enumerable.Range(0, side) from x in Enumerable.Range(-1, 1 + side)
            from value in x < 0 ? (byte[])[0] : [(byte)(Value(x, y) >> 8), (byte)Value(x, y)] select value];
        string scan = pictures.Write("scan.png", PictureFolder.Png(side, side, 16, 0, rows));
        string[] nothing = ["--crop-ratio", "1", "1", "--global-crops-scale", "1", "1", "--global-crops-size", $"{side}",
            "--local-crops-number", "0", "--hflip-prob", "0", "--jitter-prob", "0", "--grayscale-prob", "0", "--blur-prob", "0",
            "--solarize-prob", "0", "--draws", "1"];

        Draw([scan, .. nothing, "--range", "0,4095", "--channels", "1"]);
        using (var drawn = SKBitmap.Decode(sheet))
        {
            for (int y = 0; y < side; y += 11)
                for (int x = 0; x < side; x += 7)
                {
                    var seen = drawn.GetPixel(32 + side + 10 + x, 120 + y);
                    int wanted = (int)Math.Round(Value(x, y) / 4095.0 * 255);
                    Assert.That((int)seen.Red, Is.EqualTo(wanted).Within(1)); // half a step is rounded either way
                    Assert.That((seen.Green, seen.Blue), Is.EqualTo((seen.Red, seen.Red)));
                }
        }
        Draw([one, .. nothing, "--channels", "1"]);
        using var grey = SKBitmap.Decode(sheet);
        var pixels = Enumerable.Range(0, side).Select(i => grey.GetPixel(32 + side + 10 + i, 120 + i));
        Assert.That(pixels, Is.All.Matches<SKColor>(seen => seen.Red == seen.Green && seen.Green == seen.Blue));
        var refused = DinoProcess.Run("augment", one, "--channels", "5");
        Assert.That(refused.Code, Is.EqualTo(ExitCode.Failure));
        Assert.That(refused.Error, Does.StartWith($"dino augment: {one}: ").And.Contain('5'));
        Assert.That(DinoProcess.Run("augment", one, "--channels", "0").Error, Does.Contain("--channels must be at least 1"));
        Assert.That(DinoProcess.Run("augment", one, "--range", "5").Error, Does.Contain("--range takes two numbers"));
    }

    [Test]
    public void ViewsOfARun_AreTakenFromItsFile_AndItsOtherOptionsPassedOver()
    {
        string file = Path.Combine(pictures.Root, "args.json");
        File.WriteAllText(file, """{"data": "there", "epochs": 5, "out_dim": 7, "jitter_prob": 0, "seed": 4, "local_crops_number": 0}""");

        var run = Draw(one, "--args", file, "--json");
        var views = JsonNode.Parse(run.Output)!["draws"]!.AsArray().SelectMany(draw => draw!["views"]!.AsArray()).ToList();
        Assert.That(views, Has.Count.EqualTo(8));
        Assert.That(views.Select(view => view!["jitter"]), Is.All.Null);
        Assert.That(run.Output, Is.EqualTo(Draw(one, "--jitter-prob", "0", "--seed", "4", "--local-crops-number", "0", "--json").Output));
        File.WriteAllText(file, """{"jitter_probability": 0}""");
        Assert.That(DinoProcess.Run("augment", one, "--args", file).Error,
            Is.EqualTo($"dino augment: --args {file}: 'jitter_probability' is no option.\n"));
    }

    [Test]
    public void WhatCannotBeDrawn_IsNamed()
    {
        string text = pictures.Write("text.png", "text"u8);
        var mixed = Draw(text, one);
        Assert.That(mixed.Output, Does.EndWith($"1 picture, 4 draws each: {sheet}; 1 file skipped\n"));
        Assert.That(mixed.Error, Does.StartWith($"skipped {text}: "));

        void Refused(int code, string message, params string[] words)
        {
            var run = DinoProcess.Run(["augment", .. words]);
            Assert.That(run.Code, Is.EqualTo(code), run.Error);
            Assert.That(run.Error, Does.StartWith("dino augment: ").And.Contain(message));
            Assert.That(run.Error.TrimEnd('\n'), Does.Not.Contain('\n'));
        }
        Refused(ExitCode.Failure, $"{text}: it is not a ", text);
        Refused(ExitCode.Failure, $"There is no picture {text}x.", text + "x");
        Refused(ExitCode.Failure, $"{pictures.Root} is a folder", pictures.Root);
        Refused(ExitCode.Usage, "--output needs a name that ends with .png", one, "--output", "sheet.jpg");
        Refused(ExitCode.Usage, "--draws must be between 1 and 64, not 0", one, "--draws", "0");
        Refused(ExitCode.Usage, "2 pictures with 40 draws each are more than the 64 rows", one, two, "--draws", "40");
        Refused(ExitCode.Usage, "--hue must be at least 0 and at most 0.5, not 1", one, "--hue", "1");
        Refused(ExitCode.Usage, "--global-crops-size must be at least 1", one, "--global-crops-size", "0");
        Refused(ExitCode.Usage, $"--jitter-prob takes numbers, and '{one}' is a file or folder: give those before the options",
            "--jitter-prob", "0", one);
        Refused(ExitCode.Usage, "<PICTURE> is missing");
        string none = Path.Combine(pictures.Root, "none");
        Refused(ExitCode.Failure, $"There is no folder {none} for the sheet", one, "--output", Path.Combine(none, "sheet.png"));
    }

    [Test]
    public void AFewWords_SayWhatWasDone()
    {
        var plan = new CropPlan(new CropBox(0, 0, 1, 1), false, null, false, 0, null);
        Assert.That(ViewSheet.Describe(plan), Is.EqualTo("as cut"));
        Assert.That(
            ViewSheet.Describe(plan with
            {
                Flip = true,
                VerticalFlip = true,
                Jitter = default(JitterPlan),
                Grayscale = true,
                Sigma = 1.256,
                Solarize = 128
            }),
            Is.EqualTo("flip, vertical flip, jitter, grey, blur 1.26, solarise 128"));
    }

    private (int Code, string Output, string Error) Draw(params string[] words)
    {
        var run = DinoProcess.Run(["augment", .. words, "--output", sheet]);
        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        return run;
    }
}
