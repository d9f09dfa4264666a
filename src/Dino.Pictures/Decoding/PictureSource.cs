using Dino.Pictures.DataSets;

namespace Dino.Pictures.Decoding;

/// <summary>
/// The samples of a folder as decoded pictures, for many workers: keeps decoded pictures while they fit a budget, remembers and
/// reports the unreadable ones.
/// </summary>
internal sealed class PictureSource
{
    private readonly ImageFolder folder;
    private readonly SkippedFiles skipped;
    private readonly RgbImage?[]? cache;
    private readonly bool[] unreadable; // only ever set, and to the same value by whoever tries: no lock needed
    private readonly int maxPixels, channels;
    private long budget;

    public PictureSource(ImageFolder folder, SkippedFiles skipped, long cacheBytes, int maxPixels, int channels = 3)
    {
        (this.folder, this.skipped, budget, this.maxPixels) = (folder, skipped, cacheBytes, maxPixels);
        this.channels = channels;
        unreadable = new bool[folder.Count];
        cache = cacheBytes > 0 ? new RgbImage?[folder.Count] : null;
    }

    /// <summary>What one worker needs to read pictures.</summary>
    public Reader OpenReader() => new(this);

    /// <summary>One worker's decoder and scratch.</summary>
    public sealed class Reader : IDisposable
    {
        private readonly PictureSource source;
        private readonly ImageDecoder decoder;
        private readonly RgbImage image = new();

        internal Reader(PictureSource source) =>
            (this.source, decoder) = (source, new ImageDecoder(source.maxPixels) { Channels = source.channels });

        /// <summary>The picture of a sample, valid until the next call, or null if the file gives none.</summary>
        public RgbImage? TryRead(int sample)
        {
            if (source.unreadable[sample])
                return null;
            if (source.cache is { } kept && Volatile.Read(ref kept[sample]) is { } known)
                return known;
            string path = source.folder.PathOf(sample);
            try
            {
                using var input = source.folder.Open(sample);
                decoder.Decode(input, image);
            }
            catch (ImageDecodeException e)
            {
                source.unreadable[sample] = true;
                source.skipped.Report(path, e.Reason);
                return null;
            }
            source.Keep(sample, image);
            return image;
        }

        /// <summary>
        /// The picture of a sample, or of the first readable one behind it (after the last comes the first): a rule of the files
        /// alone, so that no number of workers changes what stands in for a damaged file.
        /// </summary>
        /// <exception cref="ImageFolderException">No file of the folder is readable.</exception>
        public RgbImage Read(int sample, out int used)
        {
            int count = source.folder.Count;
            for (int i = 0; i < count; i++)
            {
                used = (int)(((long)sample + i) % count);
                if (TryRead(used) is { } picture)
                    return picture;
            }
            throw new ImageFolderException(
                $"The folder '{source.folder.Root}' holds no readable picture: all {count} files were skipped.");
        }

        public void Dispose() => decoder.Dispose();
    }

    private void Keep(int sample, RgbImage image)
    {
        if (cache is null)
            return;
        int size = (image.Opacity is null ? 1 : 2) * (image.Pixels.Length + RgbImage.Padding);
        if (Interlocked.Add(ref budget, -size) >= 0)
        {
            var copy = new RgbImage();
            copy.CopyFrom(image);
            Volatile.Write(ref cache[sample], copy);
        }
        else
        {
            Interlocked.Add(ref budget, size);
        }
    }
}
