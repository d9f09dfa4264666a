using Dino.Pictures.Decoding;
using Dino.Pictures.Transforms;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>Lanczos's filter against Pillow 9.4: a picture of 9 × 6 pixels, smaller and larger.</summary>
public class LanczosTests
{
    [TestCase(4, 5, new byte[]
    {
        24, 74, 129, 113, 177, 223, 185, 147, 98, 47, 55, 114, 41, 94, 175, 167, 220, 170, 154, 103, 79, 23, 83, 155, 66, 129, 162, 188,
            202, 46,
        164, 61, 82, 42, 108, 168, 78, 150, 186, 195, 167, 87, 103, 42, 102, 59, 132, 184, 110, 165, 182, 142, 187, 63, 12, 64, 123, 90,
        144, 197,
    })]
    [TestCase(11, 3, new byte[]
    {
        4, 57, 110, 32, 85, 136, 72, 125, 186, 106, 154, 226, 138, 203, 218, 165, 245, 140, 217, 157, 68, 173, 69, 87, 59, 45, 112, 16, 76,
            126,
        54, 105, 158, 25, 78, 129, 66, 119, 177, 123, 172, 191, 156, 220, 120, 185, 223, 34, 219, 128, 36, 240, 23, 76, 89, 62, 133, 0, 92,
        138, 54, 97, 151, 93, 146, 199, 46, 99, 149, 105, 158, 223, 141, 190, 171, 163, 232, 63, 181, 205, 34, 115, 10, 90, 41, 56, 122,
        33, 95, 139, 39, 86, 141, 75, 128, 181, 134, 187, 240,
    })]
    public void EqualsPillow(int width, int height, byte[] expected)
    {
        var picture = new RgbImage(9, 6);
        for (int y = 0; y < 6; y++)
            for (int i = 0; i < 27; i++)
                picture.Row(y)[i] = (byte)(i / 3 * 37 + y * 11 + i % 3 * 53 + i / 3 * y % 7 * 9);
        var resized = new RgbImage();
        new Resample().Resize(picture, resized, width, height, ResampleFilter.Lanczos);

        Assert.That(resized.Pixels.ToArray(), Is.EqualTo(expected));
    }
}
