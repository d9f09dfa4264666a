using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;

namespace Dino.Pictures.Loading;

/// <summary>
/// What the values of a folder's pictures are like, over at most <see cref="MostPictures"/> of them, spread evenly over the folder. The
/// numbers follow from the folder alone, not from the number of threads.
/// </summary>
public static class PictureStatistics
{
    /// <summary>The most pictures that are looked at.</summary>
    public const int MostPictures = 500;

    /// <summary>The percentiles that a range goes from and to.</summary>
    public const double LowPercentile = 0.5, HighPercentile = 99.5;

    // Of a picture; spread over it as evenly as numbers can be.
    private const int MostValues = 1 << 14;

    private const double SmallestStd = 1e-6;

    /// <summary>The range of stored values from the 0.5th to the 99.5th percentile.</summary>
    /// <param name="folder">The pictures.</param>
    /// <param name="preprocessing">Which library reads them; nothing else of it counts.</param>
    /// <param name="channels">Channels that they are read for.</param>
    /// <param name="prefetch">Threads, and the largest picture.</param>
    /// <returns>The range, and the number of pictures that it was measured on. Of whole numbers it is whole.</returns>
    /// <exception cref="ImageFolderException">No picture of the sample can be read, or all values are the same.</exception>
    public static (ValueRange Range, int Pictures) MeasureRange(
        ImageFolder folder, Preprocessing preprocessing, int channels, PrefetchOptions prefetch)
    {
        var parts = Each(folder, prefetch, () => PictureReader.Decoder(preprocessing, channels, prefetch.MaxPixels), (decoder, input) =>
        {
            var image = new FloatImage();
            decoder.Decode(input, image);
            return (Values: Spread(image), image.Depth.IsFloat);
        });
        float[] values = [.. parts.SelectMany(part => part.Values)];
        if (values.Length == 0)
            throw new ImageFolderException($"The pictures of '{folder.Root}' hold no number: there is no `Range` to measure.");
        Array.Sort(values);
        double low = Percentile(values, LowPercentile), high = Percentile(values, HighPercentile);
        if (!parts.Any(part => part.IsFloat))
            (low, high) = (Math.Floor(low), Math.Ceiling(high));
        if ((float)low >= (float)high)
        {
            (low, high) = (values[0], values[^1]);
            if (low == high)
                throw new ImageFolderException(FormattableString.Invariant(
                    $"The pictures of '{folder.Root}' hold the value {low} alone: there is no `Range` to measure; give one."));
        }
        return (new(low, high), parts.Length);
    }

    /// <summary>Mean and standard deviation of each channel after scaling to 0 … 1; every picture counts alike.</summary>
    /// <param name="folder">The pictures.</param>
    /// <param name="preprocessing">Which library reads them, and the range.</param>
    /// <param name="channels">C, the channels that they are read for.</param>
    /// <param name="prefetch">Threads, and the largest picture.</param>
    /// <returns>C values each; the deviation of a channel that never changes is 1. And the number of pictures measured.</returns>
    /// <exception cref="ImageFolderException">No picture of the sample can be read.</exception>
    public static (IReadOnlyList<double> Mean, IReadOnlyList<double> Std, int Pictures) MeasureMeanAndStd(
        ImageFolder folder, Preprocessing preprocessing, int channels, PrefetchOptions prefetch)
    {
        // Values stay as they were scaled.
        var plain = preprocessing with { Mean = new double[channels], Std = [.. Enumerable.Repeat(1.0, channels)] };
        var parts = Each(folder, prefetch, () => new PictureReader(plain, channels, prefetch.MaxPixels), (reader, input) =>
        {
            var picture = new DecodedPicture();
            reader.Read(input, picture);
            return Moments(picture, channels);
        });
        double[] mean = new double[channels], std = new double[channels];
        for (int c = 0; c < channels; c++)
        {
            mean[c] = parts.Average(part => part[c].Mean);
            double variance = parts.Average(part => part[c].Square) - mean[c] * mean[c];
            std[c] = variance > SmallestStd * SmallestStd ? Math.Sqrt(variance) : 1;
        }
        return (mean, std, parts.Length);
    }

    /// <summary>Makes something of each picture of the sample that can be read, in the order of the folder.</summary>
    private static TResult[] Each<TReader, TResult>(
        ImageFolder folder, PrefetchOptions prefetch, Func<TReader> open, Func<TReader, PictureInput, TResult> make)
        where TReader : IDisposable
    {
        int[] samples = [.. PictureSample.Of(folder.Count, MostPictures)];
        var results = new (bool Any, TResult Value)[samples.Length];
        var faults = new ImageDecodeException?[samples.Length];
        var limits = new ParallelOptions { MaxDegreeOfParallelism = prefetch.WorkersOrDefault, CancellationToken = prefetch.Cancel };
        Parallel.For(0, samples.Length, limits, open, (i, _, reader) =>
        {
            try
            {
                using var input = folder.Open(samples[i]);
                results[i] = (true, make(reader, input));
            }
            catch (ImageDecodeException e)
            {
                faults[i] = e; // whoever loads it says so
            }
            return reader;
        }, reader => reader.Dispose());
        if (faults.All(fault => fault is not null))
        {
            throw new ImageFolderException(
                $"{folder.Title} holds no readable picture among the {samples.Length} that were looked at; "
                    + $"{faults[0]!.Message.TrimEnd('.')}.");
        }
        return [.. results.Where(result => result.Any).Select(result => result.Value)];
    }

    /// <summary>Values of a picture as stored, of all its channels; without what is no number.</summary>
    private static float[] Spread(FloatImage image)
    {
        var values = image.Values[..(PictureSample.Bands(image) * image.Width * image.Height)];
        float[] spread = new float[Math.Min(values.Length, MostValues)];
        int count = 0;
        for (int i = 0; i < spread.Length; i++)
        {
            // Multiples of the golden ratio fall evenly, and into no row or column more than into others.
            double place = (i * 0.6180339887498949) % 1;
            float value = values.Length <= MostValues ? values[i] : values[(int)(place * values.Length)];
            if (float.IsFinite(value))
                spread[count++] = value;
        }
        return spread[..count];
    }

    /// <summary>As numpy's <c>percentile</c>: between two neighbours in proportion.</summary>
    private static double Percentile(float[] sorted, double percent)
    {
        double place = (sorted.Length - 1) * percent / 100;
        int below = (int)place, above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + (place - below) * ((double)sorted[above] - sorted[below]);
    }

    private static (double Mean, double Square)[] Moments(DecodedPicture picture, int channels)
    {
        int pixels = picture.Width * picture.Height;
        var moments = new (double Mean, double Square)[channels];
        for (int c = 0; c < channels; c++)
        {
            double sum = 0, squares = 0;
            if (picture.IsDeep)
            {
                foreach (float value in picture.Floats.Plane(c))
                    (sum, squares) = (sum + value, squares + (double)value * value);
            }
            else if (c < 3 || picture.Rgb.Opacity is not null)
            {
                var bytes = c < 3 ? picture.Rgb.Pixels : picture.Rgb.Opacity!.Pixels;
                long whole = 0, square = 0;
                for (int i = c % 3; i < bytes.Length; i += 3)
                    (whole, square) = (whole + bytes[i], square + bytes[i] * bytes[i]);
                (sum, squares) = (whole / 255.0, square / (255.0 * 255));
            }
            else
            {
                (sum, squares) = (pixels, pixels); // opaque
            }
            moments[c] = (sum / pixels, squares / pixels);
        }
        return moments;
    }
}
