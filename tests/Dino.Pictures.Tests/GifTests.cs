using Dino.Pictures.Decoding;
using Dino.Pictures.Writing;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>Films written here and read by the codec library.</summary>
public class GifTests
{
    private string path = "";

    [SetUp]
    public void MakePath() => path = Path.GetTempFileName();

    [TearDown]
    public void Delete() => File.Delete(path);

    /// <summary>
    /// Up to 256 colours that differ in five bits a channel come back as they were, whatever the dictionary had to go through.
    /// </summary>
    [TestCase(1, 1, 1)]
    [TestCase(17, 9, 2)]
    [TestCase(300, 200, 256)] // noise: the dictionary fills and starts anew
    public void FramesOfFewColours_ComeBackAsTheyWere(int width, int height, int colours)
    {
        byte[][] frames = [.. Enumerable.Range(0, 3).Select(frame => Noise(width, height, colours, frame))];
        using (var stream = File.Create(path))
        {
            var gif = new GifWriter(stream, width, height);
            for (int i = 0; i < frames.Length; i++)
                gif.Add(frames[i], 40 * (i + 1));
            gif.Finish();
        }

        using var film = new AnimatedPicture(path);
        Assert.That(film.FrameCount, Is.EqualTo(frames.Length));
        var picture = new RgbImage();
        foreach (int i in (int[])[0, 1, 2, 1]) // also out of order
        {
            film.Decode(i, picture);
            Assert.That((picture.Width, picture.Height, film.Duration(i)), Is.EqualTo((width, height, 40 * (i + 1))));
            Assert.That(picture.Pixels.ToArray(), Is.EqualTo(frames[i]), $"frame {i}");
        }
    }

    /// <summary>A smooth ramp of all hues: no colour may be far from its own.</summary>
    [Test]
    public void ManyColours_AreApproximated()
    {
        const int width = 128, height = 128;
        byte[] ramp = new byte[3 * width * height];
        for (int i = 0; i < width * height; i++)
            (ramp[3 * i], ramp[3 * i + 1], ramp[3 * i + 2]) =
                ((byte)(2 * (i % width)), (byte)(2 * (i / width)), (byte)(255 - i % width - i / width));
        using (var stream = File.Create(path))
        {
            var gif = new GifWriter(stream, width, height);
            gif.Add(ramp, 40);
            gif.Finish();
        }

        using var film = new AnimatedPicture(path);
        var picture = new RgbImage();
        film.Decode(0, picture);
        double[] errors = [.. ramp.Zip(picture.Pixels.ToArray(), (a, b) => (double)Math.Abs(a - b))];
        Assert.That(errors.Average(), Is.LessThan(6));
        Assert.That(errors.Max(), Is.LessThan(32));
    }

    [Test]
    public void WhatIsNoPicture_IsRefused()
    {
        File.WriteAllText(path, "no film");
        Assert.That(() => new AnimatedPicture(path), Throws.TypeOf<ImageDecodeException>());
    }

    private static byte[] Noise(int width, int height, int colours, int seed)
    {
        var random = new System.Random(seed);
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0; i < width * height; i++)
        {
            int colour = random.Next(colours);
            // Eight levels of red and green and four of blue: 256 colours, 32 or 64 apart.
            (rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]) =
                ((byte)((colour & 7) * 32 + seed), (byte)((colour >> 3 & 7) * 32), (byte)((colour >> 6) * 64));
        }
        return rgb;
    }
}
