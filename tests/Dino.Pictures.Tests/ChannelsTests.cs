using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Pictures.Transforms;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>Pictures for networks of one channel and of four: grey values, opacity, and their numbers.</summary>
public class ChannelsTests
{
    // Pillow 9.4: Image.resize(size, BICUBIC) of the 5 × 4 picture of mode RGBA that Rgba makes.
    [TestCase(3, 2, new byte[]
    {
        89, 147, 37, 88, 37, 162, 116, 149, 112, 133, 206, 111, 105, 185, 48, 121, 123, 154, 131, 91, 156, 158, 223, 156,
    })]
    [TestCase(7, 6, new byte[]
    {
        0, 0, 0, 0, 33, 105, 57, 159, 43, 125, 67, 255, 82, 208, 112, 120, 105, 97, 120, 34, 150, 92, 216, 105, 148, 130, 220, 221,
        208, 234, 13, 38, 66, 118, 48, 84, 30, 121, 79, 158, 26, 163, 119, 203, 14, 185, 143, 103, 97, 154, 209, 84, 148, 123, 223, 120,
        169, 204, 17, 116, 255, 255, 8, 30, 5, 155, 144, 46, 0, 143, 122, 231, 54, 200, 157, 186, 80, 204, 198, 95, 0, 0, 246, 31,
        117, 163, 23, 204, 137, 203, 43, 128, 144, 255, 81, 44, 0, 160, 122, 27, 213, 188, 179, 210, 160, 137, 196, 206, 0, 0, 242, 100,
        99, 144, 23, 118, 98, 194, 62, 147, 102, 201, 88, 124, 170, 0, 146, 33, 255, 183, 185, 96, 179, 162, 216, 166, 137, 154, 251, 197,
        0, 0, 0, 16, 69, 190, 81, 135, 84, 174, 93, 197, 116, 31, 138, 96, 0, 0, 0, 0, 198, 236, 255, 99, 215, 240, 255, 255,
    })]
    public void APictureWithOpacity_IsResizedAsByPillow(int width, int height, byte[] expected)
    {
        var (picture, result) = (RgbaPictures.Rgba(5, 4), new RgbImage());

        new Resample().Resize(picture, result, width, height);

        Assert.That(RgbaPictures.Interleaved(result), Is.EqualTo(expected));
    }

    [Test]
    public void WithoutAChangeOfSize_ColoursStayAsStored()
    {
        var (picture, result) = (RgbaPictures.Rgba(5, 4), new RgbImage());

        new Resample().Crop(picture, new CropBox(1, 1, 3, 2), result, 3, 2);

        Assert.That(RgbaPictures.Interleaved(result)[..12], Is.EqualTo(RgbaPictures.Interleaved(picture)[(4 * 6)..(4 * 9)]));
        HorizontalFlip.Apply(result);
        Assert.That(RgbaPictures.Interleaved(result)[..4], Is.EqualTo(RgbaPictures.Interleaved(picture)[(4 * 8)..(4 * 9)]));
    }

    [Test]
    public void TheDecoder_GivesOpacityAsStored_AndGreyAsPillow()
    {
        using var folder = new PictureFolder();
        var expected = RgbaPictures.Rgba(5, 4);
        string file = folder.PathOf("a.png"), jpeg = folder.WritePicture("b.jpg", 1);
        RgbaPictures.WriteRgba(file, expected);
        using ImageDecoder four = new() { Channels = 4 }, one = new() { Channels = 1 }, three = new();
        RgbImage picture = new(), grey = new(), plain = new();

        four.Decode(file, picture);
        one.Decode(file, grey);
        Assert.That(RgbaPictures.Interleaved(picture), Is.EqualTo(RgbaPictures.Interleaved(expected)));
        for (int i = 0; i < 20; i++)
        {
            var pixel = expected.Pixels.Slice(3 * i, 3);
            Assert.That(grey.Pixels.Slice(3 * i, 3).ToArray(),
                Is.All.EqualTo((byte)((pixel[0] * 19595 + pixel[1] * 38470 + pixel[2] * 7471 + 0x8000) >> 16)));
        }
        four.Decode(jpeg, picture);
        three.Decode(file, plain);
        Assert.That((picture.Opacity, plain.Opacity), Is.EqualTo(((RgbImage?)null, (RgbImage?)null)), "opaque, and not asked for");
    }

    [Test]
    public void Numbers_OfGreyAreTheMeanOfTheColours_AndOpacityIsFromMinusOneToOne()
    {
        var picture = RgbaPictures.Rgba(2, 1);
        float[] grey = new float[2], four = new float[8], opaque = new float[8], three = new float[6];
        Normalize.For(1).Apply(picture, grey);
        Normalize.For(4).Apply(picture, four);
        Normalize.For(3).Apply(picture, three);
        picture.Opacity = null;
        Normalize.For(4).Apply(picture, opaque);

        for (int i = 0; i < 2; i++)
        {
            var pixel = picture.Pixels.Slice(3 * i, 3);
            double luma = (pixel[0] * 19595 + pixel[1] * 38470 + pixel[2] * 7471 + 0x8000) >> 16;
            Assert.That(grey[i], Is.EqualTo((luma / 255 - 0.449) / 0.226).Within(1e-5));
        }
        Assert.That(four[..6], Is.EqualTo(three));
        Assert.That((four[6], four[7], opaque[6], opaque[7]), Is.EqualTo((-1f, 1f, 1f, 1f)), "opacities 0 and 255; opaque");
        Assert.That(() => Normalize.For(2), Throws.ArgumentException.With.Message.Contains("not 2"));
    }

    [Test]
    public void GreyCrops_AreTheColouredCropsInGrey()
    {
        using var folder = new PictureFolder();
        for (int i = 0; i < 4; i++)
            folder.WritePicture($"{i}.png", 30 * i);
        var options = new CropLoaderOptions
        {
            BatchSize = 4,
            Views = new MultiCropOptions { GlobalCropsSize = 16, LocalCropsSize = 8, LocalCropsNumber = 2 }.Views,
            Prefetch = new() { Workers = 1 },
        };
        using var coloured = new CropLoader(ImageFolder.Scan(folder.Root), options);
        using var grey = new CropLoader(ImageFolder.Scan(folder.Root), options with { Channels = 1 });
        using CropBatch colours = coloured.Next(), greys = grey.Next();

        float[] inGrey = greys.Views(0, 2).ToArray(), inColour = colours.Views(0, 2).ToArray();
        Assert.That(inGrey, Has.Length.EqualTo(inColour.Length / 3));
        float[] levels = Normalize.ImageNet.Levels(), table = Normalize.For(1).Levels();
        int plane = 16 * 16;
        for (int i = 0; i < inGrey.Length; i++)
        {
            int Byte(int channel) => Array.IndexOf(
                levels, inColour[(i / plane * 3 + channel) * plane + i % plane], 256 * channel, 256) - 256 * channel;
            Assert.That(inGrey[i], Is.EqualTo(table[(Byte(0) * 19595 + Byte(1) * 38470 + Byte(2) * 7471 + 0x8000) >> 16]));
        }
    }
}
