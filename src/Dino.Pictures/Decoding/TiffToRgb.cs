namespace Dino.Pictures.Decoding;

/// <summary>Samples of 8 bits to RGB, as Pillow and libtiff convert them.</summary>
internal sealed class TiffToRgb
{
    private readonly TiffPage page;
    private readonly byte[] palette = [];
    private readonly YCbCrTables? tables;

    /// <exception cref="TiffRefusal">What it needs of the file is damaged.</exception>
    public TiffToRgb(TiffPage page)
    {
        this.page = page;
        if (page.Colours == TiffColours.Palette)
            palette = page.Palette();
        if (page.Colours == TiffColours.YCbCr && page.Compression != TiffPage.Jpeg) // of a JPEG its codec makes RGB
            tables = new YCbCrTables(page.LumaCoefficients(), page.ReferenceBlackWhite());
    }

    /// <summary>Converts a row.</summary>
    /// <param name="samples">(pixels, samples).</param>
    /// <param name="rgb">(pixels, 3).</param>
    public void Convert(ReadOnlySpan<byte> samples, Span<byte> rgb)
    {
        int step = page.Samples, count = rgb.Length / 3;
        switch (page.Colours)
        {
            case TiffColours.Grey:
            case TiffColours.InvertedGrey:
                byte flip = page.Colours == TiffColours.Grey || page.IsFloat || page.IsSigned ? (byte)0 : (byte)255;
                for (int i = 0; i < count; i++)
                    rgb.Slice(3 * i, 3).Fill((byte)(samples[i * step] ^ flip));
                break;
            case TiffColours.Palette:
                int colours = palette.Length / 3;
                for (int i = 0; i < count; i++)
                {
                    int index = samples[i * step];
                    (rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]) =
                        (palette[index], palette[colours + index], palette[2 * colours + index]);
                }
                break;
            case TiffColours.Cmyk:
                for (int i = 0; i < count; i++)
                {
                    int light = 255 - samples[i * step + 3];
                    for (int ink = 0; ink < 3; ink++)
                    {
                        int taken = samples[i * step + ink] * light + 128;
                        rgb[3 * i + ink] = (byte)Math.Clamp(light - (((taken >> 8) + taken) >> 8), 0, 255);
                    }
                }
                break;
            default:
                if (step == 3)
                    samples[..rgb.Length].CopyTo(rgb);
                for (int i = 0; step != 3 && i < count; i++)
                    samples.Slice(i * step, 3).CopyTo(rgb[(3 * i)..]);
                break;
        }
        tables?.Apply(rgb);
        if (page.Extra == TiffExtra.Associated)
            Divide(samples, rgb);
    }

    /// <summary>Takes the opacity out of colours that are multiplied by it.</summary>
    private void Divide(ReadOnlySpan<byte> samples, Span<byte> rgb)
    {
        for (int i = 0; i < rgb.Length / 3; i++)
        {
            int opacity = samples[i * page.Samples + page.ColourSamples];
            foreach (ref byte value in rgb.Slice(3 * i, 3))
                value = opacity == 0 ? (byte)0 : (byte)Math.Min(255, value * 255 / opacity);
        }
    }

    /// <summary>libtiff's conversion (tif_color.c), in its fixed-point numbers.</summary>
    private sealed class YCbCrTables
    {
        private const int One = 1 << 16, Half = One / 2;

        private readonly int[] luma = new int[256], crRed = new int[256], cbBlue = new int[256], crGreen = new int[256],
            cbGreen = new int[256];

        public YCbCrTables(float[] shares, float[] range)
        {
            float red = 2 - 2 * shares[0], blue = 2 - 2 * shares[2];
            int ofRed = Fixed(red), ofBlue = Fixed(blue),
                greenOfRed = -Fixed(shares[0] * red / shares[1]), greenOfBlue = -Fixed(shares[2] * blue / shares[1]);
            for (int i = 0; i < 256; i++)
            {
                int cr = Code(i - 128, range[4] - 128, range[5] - 128, 127), cb = Code(i - 128, range[2] - 128, range[3] - 128, 127);
                crRed[i] = (int)(((long)ofRed * cr + Half) >> 16);
                cbBlue[i] = (int)(((long)ofBlue * cb + Half) >> 16);
                crGreen[i] = greenOfRed * cr;
                cbGreen[i] = greenOfBlue * cb + Half;
                luma[i] = Code(i, range[0], range[1], 255);
            }
        }

        /// <summary>Converts pixels in place.</summary>
        public void Apply(Span<byte> pixels)
        {
            for (int i = 0; i + 2 < pixels.Length; i += 3)
            {
                int y = luma[pixels[i]], cb = pixels[i + 1], cr = pixels[i + 2];
                pixels[i] = (byte)Math.Clamp(y + crRed[cr], 0, 255);
                pixels[i + 1] = (byte)Math.Clamp(y + ((cbGreen[cb] + crGreen[cr]) >> 16), 0, 255);
                pixels[i + 2] = (byte)Math.Clamp(y + cbBlue[cb], 0, 255);
            }
        }

        private static int Fixed(float share) => (int)(Math.Clamp(float.IsNaN(share) ? 0 : share, 0, 2) * One + 0.5f);

        private static int Code(int code, float black, float white, float full)
        {
            int zero = (int)black;
            float width = white - black;
            float value = (code - zero) * full / (width == 0 ? 1 : width);
            return float.IsNaN(value) ? 0 : (int)Math.Clamp(value, -128 * 32, 128 * 32);
        }
    }
}
