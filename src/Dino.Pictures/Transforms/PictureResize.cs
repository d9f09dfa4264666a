using Dino.Pictures.Decoding;

namespace Dino.Pictures.Transforms;

/// <summary><see cref="Resample"/> for pictures of 8 bits and for deep ones. One per worker: it owns its scratch.</summary>
internal sealed class PictureResize
{
    private readonly Resample bytes = new();
    private readonly FloatResample floats = new();

    /// <inheritdoc cref="Resample.Crop"/>
    public void Crop(DecodedPicture source, CropBox box, DecodedPicture destination, int width, int height,
        ResampleFilter filter = ResampleFilter.Bicubic)
    {
        destination.IsDeep = source.IsDeep;
        if (source.IsDeep)
            floats.Run(source.Floats, box, destination.Floats, (width, height), new CropBox(0, 0, width, height), filter);
        else
            bytes.Crop(source.Rgb, box, destination.Rgb, width, height, filter);
    }

    /// <inheritdoc cref="Resample.Resize"/>
    public void Resize(DecodedPicture source, DecodedPicture destination, int width, int height,
        ResampleFilter filter = ResampleFilter.Bicubic) =>
        Crop(source, new CropBox(0, 0, source.Width, source.Height), destination, width, height, filter);

    /// <inheritdoc cref="Resample.ResizeAndCentreCrop"/>
    public void ResizeAndCentreCrop(DecodedPicture source, DecodedPicture destination, int size, int square)
    {
        destination.IsDeep = source.IsDeep;
        if (source.IsDeep)
        {
            var (full, window) = Resample.Centre(source.Width, source.Height, size, square);
            var whole = new CropBox(0, 0, source.Width, source.Height);
            floats.Run(source.Floats, whole, destination.Floats, full, window, ResampleFilter.Bicubic);
        }
        else
        {
            bytes.ResizeAndCentreCrop(source.Rgb, destination.Rgb, size, square);
        }
    }

    /// <inheritdoc cref="BilinearResize.Apply"/>
    public static void Bilinear(DecodedPicture source, DecodedPicture destination, int width, int height)
    {
        destination.IsDeep = source.IsDeep;
        if (source.IsDeep)
            FloatBilinear.Apply(source.Floats, destination.Floats, width, height);
        else
            BilinearResize.Apply(source.Rgb, destination.Rgb, width, height);
    }

    /// <summary>Mirrors a picture left to right.</summary>
    public static void Flip(DecodedPicture picture)
    {
        if (picture.IsDeep)
            FloatFlip.Horizontal(picture.Floats);
        else
            HorizontalFlip.Apply(picture.Rgb);
    }
}
