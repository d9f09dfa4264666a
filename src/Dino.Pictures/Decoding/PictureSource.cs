using Dino.Pictures.DataSets;
using Dino.Pictures.Loading;
using Dino.Pictures.Transforms;

namespace Dino.Pictures.Decoding;

/// <summary>
/// The samples of a folder as decoded pictures, for many workers: keeps decoded pictures while they fit a budget, remembers and
/// reports the unreadable ones.
/// </summary>
internal sealed class PictureSource
{
    private readonly ImageFolder folder;
    private readonly SkippedFiles skipped;
    private readonly DecodedPicture?[]? cache;
    private readonly bool[] unreadable; // only ever set, and to the same value by whoever tries: no lock needed
    private readonly Preprocessing preprocessing;
    private readonly int maxPixels, channels;
    private readonly bool coloursFirst;
    private long budget;

    public PictureSource(
        ImageFolder folder, SkippedFiles skipped, Preprocessing preprocessing, int channels, long cacheBytes, int maxPixels,
        bool coloursFirst = false)
    {
        (this.folder, this.skipped, budget, this.maxPixels) = (folder, skipped, cacheBytes, maxPixels);
        (this.preprocessing, this.channels, this.coloursFirst) = (preprocessing, channels, coloursFirst);
        unreadable = new bool[folder.Count];
        cache = cacheBytes > 0 ? new DecodedPicture?[folder.Count] : null;
    }

    /// <summary>What one worker needs to read pictures.</summary>
    public Reader OpenReader() => new(this);

    /// <summary>One worker's decoder and scratch.</summary>
    public sealed class Reader : IDisposable
    {
        private readonly PictureSource source;
        private readonly PictureReader decoder;
        private readonly DecodedPicture image = new();

        internal Reader(PictureSource source) =>
            (this.source, decoder) =
                (source, new PictureReader(source.preprocessing, source.channels, source.maxPixels, source.coloursFirst));

        /// <summary>Mean and deviation of the pictures.</summary>
        public Normalize Normalize => decoder.Normalize;

        /// <summary>The picture of a sample, valid until the next call, or null if the file gives none.</summary>
        public DecodedPicture? TryRead(int sample)
        {
            if (source.unreadable[sample])
                return null;
            if (source.cache is { } kept && Volatile.Read(ref kept[sample]) is { } known)
                return known;
            try
            {
                using var input = source.folder.Open(sample);
                decoder.Read(input, image);
            }
            catch (ImageDecodeException e)
            {
                source.unreadable[sample] = true;
                source.skipped.Report(source.folder.PathOf(sample), e.Reason);
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
        public DecodedPicture Read(int sample, out int used)
        {
            int count = source.folder.Count;
            for (int i = 0; i < count; i++)
            {
                used = (int)(((long)sample + i) % count);
                if (TryRead(used) is { } picture)
                    return picture;
            }
            throw new ImageFolderException(
                $"{source.folder.Title} holds no readable picture: all {count} files were skipped.");
        }

        public void Dispose() => decoder.Dispose();
    }

    private void Keep(int sample, DecodedPicture image)
    {
        if (cache is null)
            return;
        long size = image.Bytes;
        if (Interlocked.Add(ref budget, -size) >= 0)
        {
            var copy = new DecodedPicture();
            copy.CopyFrom(image);
            Volatile.Write(ref cache[sample], copy);
        }
        else
        {
            Interlocked.Add(ref budget, size);
        }
    }
}
