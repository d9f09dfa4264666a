using Dino.Pictures.Decoding;
using Dino.Pictures.Transforms;

namespace Dino.Cli.Drawing;

/// <summary>Draws the views of pictures, as an epoch of a run draws them.</summary>
/// <param name="options">The views.</param>
/// <param name="seed">Decides the draws.</param>
/// <param name="channels">C, the channels that the network sees.</param>
public sealed class ViewDraws(MultiCropOptions options, ulong seed, int channels = 3)
{
    private readonly IReadOnlyList<View> views = options.Views;
    private readonly CropMaker maker = new(options.Views);
    private readonly Resample resample = new();

    /// <summary>One draw of all views of a picture.</summary>
    /// <param name="name">What a person calls it.</param>
    /// <param name="picture">The picture.</param>
    /// <param name="position">Its position among the pictures.</param>
    /// <param name="draw">Which draw, from 0.</param>
    public DrawnRow Of(string name, DecodedPicture picture, int position, int draw)
    {
        var drawn = new DrawnView[views.Count];
        for (int view = 0; view < drawn.Length; view++)
        {
            var random = CropMaker.StreamOf(seed, draw, position, view);
            var plan = maker.Plan(picture.Width, picture.Height, view, ref random);
            const int globals = MultiCropOptions.GlobalCropsNumber;
            drawn[view] = new DrawnView(
                view < globals ? $"global {view + 1}" : $"local {view - globals + 1}", plan, views[view].Size,
                view < ViewSheet.MostViews ? Kept(Crop(picture, view, plan)) : null);
        }
        double scale = (double)ViewSheet.Longest / Math.Max(picture.Width, picture.Height);
        var whole = picture.ToRgb();
        return new DrawnRow(name, Resized(whole, Side(whole.Width), Side(whole.Height)), whole.Width, whole.Height, drawn);

        int Side(int pixels) => Math.Max(1, (int)Math.Round(pixels * scale));
    }

    private RgbImage Crop(DecodedPicture picture, int view, in CropPlan plan)
    {
        if (picture.IsDeep)
            return maker.Draw(picture.Floats, view, plan).ToRgb();
        var crop = maker.Draw(picture.Rgb, view, plan);
        if (channels == 1) // the same crops, grey at last
            Grayscale.Apply(crop);
        return crop;
    }

    private RgbImage Kept(RgbImage crop)
    {
        if (crop.Width > ViewSheet.Longest)
            return Resized(crop, ViewSheet.Longest, ViewSheet.Longest);
        var kept = new RgbImage();
        kept.CopyFrom(crop);
        return kept;
    }

    private RgbImage Resized(RgbImage image, int width, int height)
    {
        var small = new RgbImage();
        resample.Resize(image, small, width, height);
        return small;
    }
}
