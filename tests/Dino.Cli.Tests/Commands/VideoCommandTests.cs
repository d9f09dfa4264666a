using System.Text.Json;
using Dino.Cli.Arguments;
using Dino.Pictures.Writing;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Commands;

/// <summary>
/// Objects of videos by the ids of their first masks. Every frame is the same picture, so an object that is annotated in one place is found
/// there, and
/// not where another mask has it.
/// </summary>
public sealed class VideoCommandTests : IDisposable
{
    private const int Width = 64, Height = 48;
    private PictureFolder? scratch;
    private PictureFolder videos = new();
    private string checkpoint = "";

    [OneTimeSetUp]
    public void TrainOnce()
    {
        using var pictures = new PictureFolder();
        for (int i = 0; i < 8; i++)
            pictures.WritePicture($"{i}.png", i, 24, 20);
        scratch = new PictureFolder();
        checkpoint = DinoProcess.Train(pictures, scratch.PathOf("run/x")[..^2]);
    }

    public void Dispose()
    {
        scratch?.Dispose();
        videos.Dispose();
    }

    [SetUp]
    public void MakeFolder()
    {
        videos.Dispose();
        videos = new PictureFolder();
    }

    [Test]
    public void OneObject_IsOne_WhateverItsNumber()
    {
        Frames("right", 5);
        Frames("wrong", 5);
        for (int frame = 0; frame < 5; frame++)
        {
            Mask("right", frame, Square(15, 8));
            Mask("wrong", frame, Square(15, frame == 0 ? 8 : 40)); // never where it was
        }
        var (result, error) = Follow();

        var objects = result.GetProperty("objects").EnumerateArray().ToArray();
        Assert.That(objects.Select(o => $"{o.GetProperty("sequence")} {o.GetProperty("id")}"),
            Is.EqualTo(new[] { "right 15", "wrong 15" }));
        Assert.That(objects[0].GetProperty("j_mean").GetDouble(), Is.GreaterThan(0.8));
        Assert.That(objects[1].GetProperty("j_and_f").GetDouble(), Is.Zero);
        Assert.That(error, Is.Empty);
    }

    [Test]
    public void GapsInTheNumbers_GreyNumbers_Colours_AndUndecidedPixels_AreTheObjectsThatTheyShow()
    {
        byte[] two = [.. Square(1, 8).Zip(Square(7, 40), Math.Max)];
        byte[] undecided = [.. Square(1, 8).Select((id, i) => i % Width == 30 ? (byte)255 : id)];
        foreach (string name in new[] { "colour", "gap", "grey", "grey16", "binary", "void" })
            Frames(name, 4);
        for (int frame = 0; frame < 4; frame++)
        {
            Mask("gap", frame, two);
            Mask("void", frame, undecided);
            Raw("grey", frame, 8, 0, Square(3, 8));
            Raw("binary", frame, 8, 0, Square(255, 8));
            Raw("grey16", frame, 16, 0, [.. Square(200, 8).SelectMany(id => new byte[] { 0, id })]);
            // The bits of 9, three at a time, are the highest of red, green and blue, then the next: 1 and 8 both go to red.
            Raw("colour", frame, 8, 2, [.. Square(9, 8).SelectMany(id => id > 0 ? new byte[] { 192, 0, 0 } : [0, 0, 0])]);
        }
        var (result, error) = Follow("--mask-kind", "auto");

        Assert.That(
            result.GetProperty("objects").EnumerateArray().Select(o => $"{o.GetProperty("sequence")} {o.GetProperty("id")}"),
            Is.EqualTo(new[] { "binary 1", "colour 9", "gap 1", "gap 7", "grey 3", "grey16 1", "void 1" }));
        Assert.That(result.GetProperty("objects").EnumerateArray().Select(o => o.GetProperty("j_mean").GetDouble()),
            Has.All.GreaterThan(0.8));
        Assert.That(error, Does.Contain("note: grey16: the greys 200 of").And.Contain("--mask-kind ids"));
    }

    [Test]
    public void ObjectsThatAppearOrVanish_AndVideosWithoutScore_AreSaid()
    {
        foreach (string name in new[] { "appears", "vanishes", "firstonly" })
            Frames(name, 4);
        Frames("one", 1);
        for (int frame = 0; frame < 4; frame++)
        {
            Mask("appears", frame, frame < 2 ? Square(1, 8) : [.. Square(1, 8).Zip(Square(3, 40), Math.Max)]);
            Mask("vanishes", frame, frame == 0 ? Square(2, 8) : new byte[Width * Height]);
        }
        Mask("firstonly", 0, Square(1, 8));
        Mask("one", 0, Square(1, 8));
        var (result, error) = Follow();

        Assert.That(
            result.GetProperty("objects").EnumerateArray().Select(o => $"{o.GetProperty("sequence")} {o.GetProperty("id")}"),
            Is.EqualTo(new[] { "appears 1", "vanishes 2" }));
        Assert.That(result.GetProperty("objects")[1].GetProperty("j_mean").GetDouble(), Is.Zero, "found where nothing is");
        Assert.That(error.Split('\n', StringSplitOptions.RemoveEmptyEntries), Is.EquivalentTo(new[]
        {
            "note: appears: object 3 is not in the first mask but from 00002 on: it is not followed, nor counted",
            "note: firstonly: no later frame that counts has a mask: it is followed, not scored",
            "note: one: it has one frame: there is nothing to follow",
        }));
    }

    [Test]
    public void BrokenVideos_AreNamed_AndDoNotEndTheOthers()
    {
        foreach (string name in new[] { "badframe", "empty", "good", "nofirst", "size", "strange" })
            Frames(name, 4);
        for (int frame = 0; frame < 4; frame++)
        {
            Mask("badframe", frame, Square(1, 8));
            Mask("good", frame, Square(1, 8));
            Mask("size", frame, Square(1, 8));
            Mask("empty", frame, new byte[Width * Height]);
            if (frame > 1)
                Mask("nofirst", frame, Square(1, 8));
            Raw("strange", frame, 8, 2, [.. Square(9, 8).SelectMany(id => id > 0 ? new byte[] { 1, 2, 3 } : [0, 0, 0])]);
        }
        videos.Write("JPEGImages/480p/badframe/00002.png", "no picture"u8);
        videos.WritePicture("JPEGImages/480p/size/00003.png", 5, Width, Height + 8);
        var (result, error) = Follow();

        Assert.That(result.GetProperty("objects").EnumerateArray().Select(o => o.GetProperty("sequence").GetString()),
            Is.EqualTo(new[] { "badframe", "good", "size" }));
        Assert.That((result.GetProperty("videos").GetInt32(), result.GetProperty("skipped").GetInt32()), Is.EqualTo((3, 2)),
            "a later frame is left out alone");
        Assert.That(
            result.GetProperty("left_out").EnumerateArray().Select(o => o.GetProperty("sequence").GetString()),
            Is.EquivalentTo(new[] { "empty", "nofirst", "strange" }));
        Assert.That(error.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(5));
        Assert.That(error, Does.Contain("skipped ").And.Contain("badframe/00002.png: ").And.Contain("shows no object")
            .And.Contain("no mask of the first frame"));
        Assert.That(error, Does.Contain("the colour (1, 2, 3) at (8, 8)").And.Contain("size/00003.png: it has"));

        var none = DinoProcess.Run("eval", "video", checkpoint, "--data", videos.Root, "--device", "cpu", "--size", "48", "--sequences",
            "empty", "../good");
        Assert.That(none.Code, Is.EqualTo(ExitCode.Failure));
        Assert.That(none.Error, Does.Contain("'../good' is no name of a video").And.Contain("None of the 2 videos could be followed"));
        Assert.That(none.Error.TrimEnd('\n'), Does.Not.Contain('\n'));
    }

    private (JsonElement Result, string Error) Follow(params string[] more)
    {
        var run = DinoProcess.Run(["eval", "video", checkpoint, "--data", videos.Root, "--size", "48", "--topk", "1", "--device", "cpu",
            "--threads", "2", "--json", .. more]);
        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        return (JsonDocument.Parse(run.Output).RootElement, run.Error);
    }

    private void Frames(string video, int count)
    {
        for (int frame = 0; frame < count; frame++)
            videos.WritePicture($"JPEGImages/480p/{video}/{frame:D5}.png", 5, Width, Height);
    }

    private void Mask(string video, int frame, byte[] ids) =>
        IndexedPng.Write(videos.PathOf($"Annotations/480p/{video}/{frame:D5}.png"), ids, Width, Height);

    private void Raw(string video, int frame, byte depth, byte kind, byte[] pixels)
    {
        int row = pixels.Length / Height;
        byte[] raw = [.. Enumerable.Range(0, Height).SelectMany(y => pixels.Skip(y * row).Take(row).Prepend((byte)0))];
        videos.Write($"Annotations/480p/{video}/{frame:D5}.png", PictureFolder.Png(Width, Height, depth, kind, raw));
    }

    private static byte[] Square(byte id, int left) =>
        [.. Enumerable.Range(0, Width * Height)
            .Select(i => i % Width >= left && i % Width < left + 16 && i / Width is >= 8 and < 32 ? id : (byte)0)];
}
