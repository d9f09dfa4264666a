using System.Text.Json;
using Dino.Pictures.Decoding;
using Dino.Pictures.Transforms;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>Every image operation against Pillow's result; operations and sizes are those that golden.json lists.</summary>
public class AugmentGoldenTests
{
    private static readonly GoldenSet Set = GoldenSet.Open("augment");
    private static readonly JsonElement Ops = Set.Config.GetProperty("ops");

    private static IEnumerable<string> Names => Ops.EnumerateObject().Select(op => op.Name);

    [TestCaseSource(nameof(Names))]
    [Category("Golden")]
    public void Operation(string name)
    {
        if (Set[name].Type == "uint8")
            Set.Check<byte>(name, Run(name, Ops.GetProperty(name)).Pixels);
        else
            Set.Check<float>(name, Normalised(name));
    }

    // Outside the category: a set made by another Pillow may differ within its tolerance, the set in the repository may not.
    [TestCaseSource(nameof(Names))]
    public void Image_operations_equal_pillow_bit_for_bit(string name)
    {
        if (Set[name].Type == "uint8")
            Assert.That(Run(name, Ops.GetProperty(name)).Pixels.SequenceEqual(Set.Bytes(name)), name);
        else
            Set.Check<float>(name, Normalised(name));
    }

    [Test]
    [Category("Golden")]
    public void Every_expected_tensor_is_covered()
    {
        var known = Names.Concat(["rrc.boxes", "rrc.fallback"]);
        var expected = Set.Tensors.Values.Where(tensor => !tensor.IsGiven).Select(tensor => tensor.Name);
        Assert.That(expected, Is.SubsetOf(known));
    }

    [Test]
    [Category("Golden")]
    public void Random_resized_crop_sizes()
    {
        double[] draws = Set.Doubles("rrc.draws");
        int width = Set.Config.GetProperty("width").GetInt32(), height = Set.Config.GetProperty("height").GetInt32();
        var boxes = new List<long>();
        foreach (double[] draw in draws.Chunk(4))
        {
            (int w, int h) = RandomResizedCrop.Size(width, height, new CropScale(draw[0], draw[1]), draw[2], draw[3]);
            boxes.AddRange([w, h, w > 0 && w <= width && h > 0 && h <= height ? 1 : 0]);
        }
        Set.Check<long>("rrc.boxes", boxes.ToArray());
    }

    [Test]
    [Category("Golden")]
    public void Random_resized_crop_fallback()
    {
        var rows = new List<long>();
        foreach (long[] row in Set.Longs("rrc.fallback").Chunk(6))
        {
            CropBox box = RandomResizedCrop.Fallback((int)row[0], (int)row[1]);
            rows.AddRange([row[0], row[1], box.Top, box.Left, box.Height, box.Width]);
        }
        Set.Check<long>("rrc.fallback", rows.ToArray());
    }

    private static Normalize Normalize() => new(Numbers("mean"), Numbers("std"));

    private static double[] Numbers(string key) => [.. Set.Config.GetProperty(key).EnumerateArray().Select(value => value.GetDouble())];

    private static float[] Normalised(string name)
    {
        RgbImage image = Run(name, Ops.GetProperty(name));
        float[] values = new float[image.Pixels.Length];
        Normalize().Apply(image, values);
        return values;
    }

    private static RgbImage Run(string name, JsonElement op)
    {
        RgbImage source = Image(op.GetProperty("source").GetString()!), result = new();
        result.CopyFrom(source);
        int Number(string key) => op.GetProperty(key).GetInt32();
        ResampleFilter Filter() => Enum.Parse<ResampleFilter>(op.GetProperty("filter").GetString()!, ignoreCase: true);
        void Crop(RgbImage destination) => new Resample().Crop(
            source, new CropBox(Number("left"), Number("top"), Number("w"), Number("h")), destination, Number("size"), Number("size"));
        string kind = op.GetProperty("op").GetString()!;
        switch (kind)
        {
            case "resized_crop":
                Crop(result);
                break;
            case "resize_short_side":
                new Resample().ResizeShortSide(source, result, Number("size"), Filter());
                break;
            case "resize_short_side+center_crop":
                new Resample().ResizeAndCentreCrop(source, result, Number("size"), Number("center"), Filter());
                break;
            case "resize":
                new Resample().Resize(source, result, Number("size"), Number("size"), Filter());
                break;
            case "hflip":
                HorizontalFlip.Apply(result);
                break;
            case "jitter":
                Jitter(result, op);
                break;
            case "grayscale":
                Grayscale.Apply(result);
                break;
            case "gaussian_blur":
                new GaussianBlur().Apply(result, op.GetProperty("radius").GetDouble());
                break;
            case "solarize":
                Solarize.Apply(result, Number("threshold"));
                break;
            case "normalise":
                break;
            case "chain":
                Crop(result);
                if (op.GetProperty("hflip").GetBoolean())
                    HorizontalFlip.Apply(result);
                Jitter(result, Ops.GetProperty(op.GetProperty("jitter").GetString()!));
                if (op.GetProperty("grayscale").GetBoolean())
                    Grayscale.Apply(result);
                new GaussianBlur().Apply(result, op.GetProperty("blur").GetDouble());
                if (op.GetProperty("solarize").GetBoolean())
                    Solarize.Apply(result);
                break;
            default:
                ColorJitter.Apply(result, Enum.Parse<ColorOperation>(kind, ignoreCase: true), op.GetProperty("factor").GetDouble());
                break;
        }
        if (Set[name].Type == "uint8")
            Assert.That(new[] { result.Height, result.Width, 3 }, Is.EqualTo(Set[name].Shape), name);
        return result;
    }

    private static void Jitter(RgbImage image, JsonElement op)
    {
        foreach (string name in op.GetProperty("order").EnumerateArray().Select(value => value.GetString()!))
            ColorJitter.Apply(image, Enum.Parse<ColorOperation>(name, ignoreCase: true), op.GetProperty(name).GetDouble());
    }

    private static RgbImage Image(string name)
    {
        int[] shape = Set[name].Shape;
        var image = new RgbImage(shape[1], shape[0]);
        Set.Bytes(name).CopyTo(image.Pixels);
        return image;
    }
}
