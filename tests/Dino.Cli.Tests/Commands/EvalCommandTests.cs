using System.Text.Json;
using Dino.Cli.Arguments;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Writing;
using Dino.Tensors.Io;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Commands;

/// <summary>Every evaluation as a user runs it, on a few pictures and with the smallest network.</summary>
public class EvalCommandTests
{
    private PictureFolder pictures = null!;
    private string scratch = null!, checkpoint = null!;

    [OneTimeSetUp]
    public void TrainOnce()
    {
        pictures = TinyRun.MakePictures();
        scratch = Directory.CreateTempSubdirectory("dino-eval-").FullName;
        checkpoint = DinoProcess.Train(pictures, Path.Combine(scratch, "run"));
    }

    [OneTimeTearDown]
    public void Delete()
    {
        pictures.Dispose();
        Directory.Delete(scratch, recursive: true);
    }

    [TestCase("fresh")]
    [TestCase("kept")]
    [TestCase("centre")]
    public void Linear(string crops)
    {
        string output = Path.Combine(scratch, "probe-" + crops);
        var result = Json(
            "eval", "linear", checkpoint, "--train", pictures.Root, "--val", pictures.Root, "--crops", crops, "--views", "2", "--epochs",
            "3", "--batch-size", "10", "--lr", "0.1", "10", "--output-dir", output);
        var sweep = result.GetProperty("sweep").EnumerateArray().ToArray();

        Assert.That(sweep.Select(probe => probe.GetProperty("lr").GetDouble()), Is.EqualTo(new[] { 0.1, 10 }));
        Assert.That(result.GetProperty("top1").GetDouble(),
            Is.EqualTo(sweep.Max(probe => probe.GetProperty("top1").GetDouble())).And.InRange(0, 100));
        Assert.That((result.GetProperty("train").GetInt32(), result.GetProperty("val").GetInt32()), Is.EqualTo((24, 24)));
        Assert.That(result.GetProperty("dim").GetInt32(), Is.EqualTo(16), "a network of one block has one class token");

        // What was written is what was measured.
        var again = Json("eval", "linear", checkpoint, "--val", pictures.Root, "--linear-weights", output);
        Assert.That(again.GetProperty("top1").GetDouble(), Is.EqualTo(result.GetProperty("top1").GetDouble()));
        // The same as the official code saves it.
        string official = Path.Combine(output, "checkpoint.pth.tar");
        using (var file = SafetensorsFile.Read(Path.Combine(output, "linear.safetensors")))
            PyTorchFile.Write(official,
            [
                .. file.Names.Select(name => TensorEntry.Of(
                    "state_dict.module." + name, [.. file.Shape(name).Select(size => (int)size)], file.Floats(name))),
                TensorEntry.Of("optimizer.state.0.momentum_buffer", [1], new float[1]),
            ]);
        var theirs = Json("eval", "linear", checkpoint, "--val", pictures.Root, "--linear-weights", official);
        Assert.That(theirs.GetProperty("top1").GetDouble(), Is.EqualTo(result.GetProperty("top1").GetDouble()));
        Assert.That(File.Exists(Path.Combine(output, "train-features.npy")), Is.EqualTo(crops != "fresh"));
    }

    [Test]
    public void Knn_WithFewLabels()
    {
        var result = Json("eval", "knn", checkpoint, "--train", pictures.Root, "--val", pictures.Root, "--nb-knn", "1", "--few-shot", "50",
            "1");
        var few = result.GetProperty("few_shot").EnumerateArray().ToArray();

        Assert.That(few.Select(part => (part.GetProperty("percent").GetDouble(), part.GetProperty("train").GetInt32())),
            Is.EqualTo(new[] { (1d, 2), (50d, 12) }));
        Assert.That(result.GetProperty("top1").GetProperty("1").GetDouble(), Is.EqualTo(100), "every picture is its own neighbour");
    }

    [Test]
    public void Segment_OnMasksOfTheSameNames_AndOnAFolderLikeVocs()
    {
        using var set = new PictureFolder();
        foreach (string name in (string[])["one", "two"])
        {
            set.WritePicture($"images/{name}.jpg", name.Length);
            byte[] mask = new byte[40 * 30], objects = new byte[40 * 30];
            mask.AsSpan(0, 400).Fill(1);
            mask.CopyTo(objects, 0);
            objects.AsSpan(600, 200).Fill(2);
            objects.AsSpan(1000).Fill(255);
            IndexedPng.Write(set.PathOf($"masks/{name}.png"), mask, 40, 30);
            set.WritePicture($"voc/JPEGImages/{name}.jpg", name.Length);
            IndexedPng.Write(set.PathOf($"voc/SegmentationObject/{name}.png"), objects, 40, 30);
        }
        set.Write("voc/ImageSets/Segmentation/val.txt", "one\ntwo\n"u8);
        var saliency = Json("eval", "segment", checkpoint, "--images", Path.Combine(set.Root, "images"), "--masks",
            Path.Combine(set.Root, "masks"));
        var voc = Json("eval", "segment", checkpoint, "--voc", Path.Combine(set.Root, "voc"), "--size", "32");

        Assert.That((saliency.GetProperty("objects").GetInt32(), voc.GetProperty("objects").GetInt32()), Is.EqualTo((2, 4)));
        var masks = saliency.GetProperty("masks").EnumerateArray().ToArray();
        Assert.That(masks.Select(mask => mask.GetProperty("mass").GetDouble()), Is.EqualTo(new[] { 0.6, 0.8 }));
        foreach (var mask in masks)
            Assert.That(mask.GetProperty("jaccard").GetDouble(),
                Is.EqualTo(mask.GetProperty("foreground_iou").GetDouble()).And.InRange(0.01, 1), "one object is the foreground");
    }

    [Test]
    public void Video_FollowsTwoObjects_AndWritesTheirMasks()
    {
        using var set = new PictureFolder();
        for (int frame = 0; frame < 4; frame++)
        {
            // The same picture again and again: labels stay where they are.
            set.WritePicture($"JPEGImages/480p/still/{frame:D5}.png", 5, 64, 48);
            IndexedPng.Write(set.PathOf($"Annotations/480p/still/{frame:D5}.png"), TwoObjects(), 64, 48);
        }
        string output = Path.Combine(scratch, "masks");
        var result = Json("eval", "video", checkpoint, "--data", set.Root, "--size", "48", "--output-dir", output, "--topk", "1");

        Assert.That(result.GetProperty("objects").EnumerateArray().Select(o => o.GetProperty("id").GetInt32()), Is.EqualTo(new[] { 1, 2 }));
        Assert.That(result.GetProperty("j_mean").GetDouble(), Is.GreaterThan(0.8));
        Assert.That(result.GetProperty("j_and_f").GetDouble(),
            Is.EqualTo((result.GetProperty("j_mean").GetDouble() + result.GetProperty("f_mean").GetDouble()) / 2).Within(1e-5));
        string[] written = [.. Directory.GetFiles(Path.Combine(output, "still")).Order()];
        Assert.That(written.Select(Path.GetFileName), Is.EqualTo(new[] { "00000.png", "00001.png", "00002.png", "00003.png" }));
        Assert.That(LabelMap.Read(written[0]).Ids, Is.EqualTo(TwoObjects()));
        Assert.That(LabelMap.Read(written[3]).Ids.Distinct(), Is.EquivalentTo(new byte[] { 0, 1, 2 }));
    }

    [Test]
    public void Features_OnceAndAgain_WithPaintings()
    {
        string output = Path.Combine(scratch, "features");
        string[] words = ["features", checkpoint, pictures.Root, "--output-dir", output, "--pca", "2", "--kind", "copy"];
        var first = Json(words);
        var second = Json(words);

        Assert.That((first.GetProperty("rows").GetInt32(), first.GetProperty("dim").GetInt32()), Is.EqualTo((24, 32)));
        Assert.That(second.TryGetProperty("rows", out _), Is.False, "nothing was left to do");
        Assert.That(first.GetProperty("pictures").EnumerateArray().Select(path => File.Exists(path.GetString())),
            Is.EqualTo(new[] { true, true }));
    }

    [Test]
    public void Features_OfOtherPictures_WeightsOrArithmetic_AreNeverHandedOutAsTheSame()
    {
        using var own = TinyRun.MakePictures(6);
        string output = Path.Combine(scratch, "identity"), weights = Path.Combine(scratch, "weights.safetensors");
        File.Copy(checkpoint, weights);
        string[] words = ["features", weights, own.Root, "--output-dir", output, "--device", "cpu"];
        Assert.That(DinoProcess.Run(words).Output, Does.Contain("6 features of 16 numbers"));
        Assert.That(DinoProcess.Run(words).Output, Does.Contain("is there already, of the same pictures and weights"));

        Refused("precision is fp32, not bf16", [.. words, "--precision", "bf16"]);
        Refused("picture size is 16, not 24", [.. words, "--size", "24"]);
        string path = own.PathOf("odd/001.png");
        byte[] bytes = File.ReadAllBytes(path);
        var time = File.GetLastWriteTimeUtc(path);
        File.WriteAllBytes(path, [.. bytes[..^1], (byte)(bytes[^1] ^ 1)]);
        File.SetLastWriteTimeUtc(path, time);
        Refused("the pictures have other contents than then: 1 of another content: odd/001.png", words);
        File.WriteAllBytes(path, bytes);
        File.SetLastWriteTimeUtc(path, time.AddDays(1));
        Assert.That(DinoProcess.Run(words).Output, Does.Contain("is there already"), "a copy");
        File.Copy(DinoProcess.Train(own, Path.Combine(scratch, "identity-run"), "--seed", "9"), weights, overwrite: true);
        Refused("their weights is", words);

        void Refused(string reason, string[] words)
        {
            byte[] before = File.ReadAllBytes(Path.Combine(output, "features.npy"));
            var run = DinoProcess.Run(words);
            Assert.That((run.Code, run.Error.Trim()), Is.EqualTo((ExitCode.Failure, run.Error.Trim().Split('\n')[^1])), run.Output);
            Assert.That(run.Error, Does.Contain(reason).And.Contain("--output-dir"));
            Assert.That(File.ReadAllBytes(Path.Combine(output, "features.npy")), Is.EqualTo(before));
        }
    }

    [Test]
    public void Retrieve_FindsTheQueriesThemselves()
    {
        using var set = new PictureFolder();
        foreach (int i in Enumerable.Range(0, 5))
            set.WritePicture($"jpg/p{i}.jpg", 40 * i);
        set.Write("gnd_small.json", """
            {"imlist": ["p0", "p1", "p2", "p3", "p4"], "qimlist": ["p1", "p3"],
             "gnd": [{"bbx": [0, 0, 20, 20], "easy": [1], "hard": [], "junk": []},
                     {"bbx": [0, 0, 20, 20], "easy": [3], "hard": [4], "junk": [0]}]}
            """u8);
        var result = Json("eval", "retrieve", checkpoint, "--data", set.Root, "--imsize", "32", "--multiscale");

        Assert.That(result.GetProperty("easy").GetProperty("map").GetDouble(), Is.EqualTo(1));
        Assert.That(result.GetProperty("medium").GetProperty("mp_1").GetDouble(), Is.EqualTo(1));
        Assert.That(result.GetProperty("hard").GetProperty("queries").GetInt32(), Is.EqualTo(1));
        Assert.That(DinoProcess.Run("eval", "retrieve", checkpoint, "--data", set.Root, "--imsize", "32", "--crop-queries", "--device",
            "cpu").Code, Is.EqualTo(ExitCode.Ok));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Copy_FindsCopiesThatAreTheOriginals(bool whitened)
    {
        using var set = new PictureFolder();
        foreach (int i in Enumerable.Range(0, 4))
        {
            set.WritePicture($"copydays/original/20{i}000.png", 30 * i);
            set.WritePicture($"copydays/strong/20{i}001.png", 30 * i);
            set.WritePicture($"copydays/jpegqual/75/20{i}000.png", 30 * i);
        }
        string[] whitening = whitened ? ["--whitening", pictures.Root, "--distractors", pictures.Root] : [];
        var result = Json(["eval", "copy", checkpoint, "--data", Path.Combine(set.Root, "copydays"), "--imsize", "32", .. whitening]);

        Assert.That(result.GetProperty("blocks").EnumerateArray()
            .Select(block => (block.GetProperty("name").GetString(), block.GetProperty("map").GetDouble())),
            Is.EqualTo(new[] { ("jpegqual/75", 1d), ("strong", 1d) }));
        Assert.That(result.GetProperty("database").GetInt32(), Is.EqualTo(whitened ? 28 : 4));
    }

    [Test]
    public void Attend_OnAFolderOfFrames_AndOnItsOwnGif()
    {
        string output = Path.Combine(scratch, "film"), again = Path.Combine(scratch, "film-of-film");
        var film = Json("attend", checkpoint, Path.Combine(pictures.Root, "even"), "--video", "--limit", "3", "--fps", "10",
            "--output-dir", output);
        string gif = film.GetProperty("video").GetString()!;
        var second = Json("attend", checkpoint, gif, "--video", "--output-dir", again);

        Assert.That((film.GetProperty("count").GetInt32(), second.GetProperty("count").GetInt32()), Is.EqualTo((3, 3)));
        using var animation = new AnimatedPicture(second.GetProperty("video").GetString()!);
        Assert.That((animation.FrameCount, animation.Duration(1)), Is.EqualTo((3, 100)), "the times of the first film");
        Assert.That(Directory.GetFiles(Path.Combine(output, "frames")), Has.Length.EqualTo(3));
    }

    [Test]
    public void ResultsArePrintedAsTables()
    {
        var run = DinoProcess.Run("eval", "knn", checkpoint, "--train", pictures.Root, "--val", pictures.Root, "--nb-knn", "1", "3",
            "--device", "cpu");

        Assert.That(run.Output, Does.Contain("top-1 %").And.Contain("100 %").And.Contain("100.00"));
    }

    [TestCase("eval", "dino eval: ")]
    [TestCase("eval knnn", "dino eval: unknown command 'knnn'. Did you mean 'knn'?")]
    [TestCase("eval linear {checkpoint} --val {pictures}", "--train is missing")]
    [TestCase("eval linear {checkpoint} --val {pictures} --train {pictures} --lr 0", "above 0")]
    [TestCase("eval linear {checkpoint} --val {pictures} --train {pictures} --n-last-blocks 9", "--n-last-blocks")]
    [TestCase("eval linear {checkpoint} --val {pictures} --train {pictures} --crops many", "--crops needs one of fresh, kept, centre")]
    [TestCase("eval knn {checkpoint} --train {pictures} --val {pictures} --few-shot 200", "--few-shot")]
    [TestCase("eval segment {checkpoint} --images {pictures}", "--masks")]
    [TestCase("eval segment {checkpoint} --images {pictures} --voc {pictures}", "one or the other")]
    [TestCase("eval video {checkpoint} --data {pictures} --topk 0", "--topk")]
    [TestCase("eval copy {checkpoint} --data {pictures} --imsize 4", "--imsize 4")]
    [TestCase("attend {checkpoint} {pictures} {pictures} --video", "--video takes one")]
    public void WrongCommandLines_AreOneLine_AndExitCode2(string line, string expected) => AssertOneLine(line, ExitCode.Usage, expected);

    [TestCase("eval linear {checkpoint} --val {pictures} --linear-weights {checkpoint}", "holds no linear classifier")]
    [TestCase("eval linear {checkpoint} --val {pictures} --linear-weights {pictures}/none", "cannot be read as a linear classifier")]
    [TestCase("eval segment {checkpoint} --images {pictures}/even --masks {pictures}/odd", "has no mask")]
    [TestCase("eval segment {checkpoint} --images {pictures}/even --masks {pictures}/even", "coloured")]
    [TestCase("eval segment {checkpoint} --voc {pictures}", "There is no list")]
    [TestCase("eval video {checkpoint} --data {pictures}", "no folder JPEGImages")]
    [TestCase("eval retrieve {checkpoint} --data {pictures}", "gnd_*.json")]
    [TestCase("eval retrieve {checkpoint} --data {pictures} --ground-truth {checkpoint}", "no ground truth")]
    [TestCase("eval copy {checkpoint} --data {pictures}", "no folder 'original'")]
    [TestCase("features {checkpoint} {pictures}/none", "does not exist")]
    [TestCase("features {pictures}/none {pictures}", "no checkpoint")]
    [TestCase("attend {checkpoint} {pictures}/none --video", "no video")]
    [TestCase("attend {checkpoint} {checkpoint} --video", "not a JPEG, PNG")]
    public void WhatCannotBeRead_IsOneLine_AndExitCode1(string line, string expected) => AssertOneLine(line, ExitCode.Failure, expected);

    private void AssertOneLine(string line, int code, string expected)
    {
        string[] words = [.. line.Split(' ').Select(word => word
            .Replace("{checkpoint}", checkpoint, StringComparison.Ordinal).Replace("{pictures}", pictures.Root, StringComparison.Ordinal))];
        string[] where = words.Length > 2 ? ["--device", "cpu"] : [];
        string[] output = words[0] is "features" or "attend" ? ["--output-dir", Path.Combine(scratch, "unused")] : [];
        var run = DinoProcess.Run([.. words, .. where, .. output]);

        Assert.That(run.Code, Is.EqualTo(code), run.Error);
        Assert.That(run.Error, Does.Contain(expected));
        Assert.That(run.Error.TrimEnd('\n'), Does.Not.Contain('\n').And.Not.Contain("internal error").And.Not.Contain("   at "));
    }

    private static JsonElement Json(params string[] words)
    {
        var run = DinoProcess.Run([.. words, "--json", "--device", "cpu"]);
        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        return JsonDocument.Parse(run.Output).RootElement;
    }

    /// <summary>(48, 64): objects of 16 × 16 pixels, on whole patches.</summary>
    private static byte[] TwoObjects()
    {
        byte[] ids = new byte[64 * 48];
        for (int y = 16; y < 32; y++)
        {
            ids.AsSpan(y * 64 + 8, 16).Fill(1);
            ids.AsSpan(y * 64 + 40, 16).Fill(2);
        }
        return ids;
    }
}
