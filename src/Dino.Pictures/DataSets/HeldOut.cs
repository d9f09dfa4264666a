using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Dino.Pictures.DataSets;

/// <summary>
/// Chooses the pictures that training does not see, by a hash of their files' names in the folder, list or archive: whatever stands beside
/// it, a picture stays on its side, and the pages of a file stay together.
/// </summary>
internal static class HeldOut
{
    /// <summary>Which pictures are held out.</summary>
    /// <param name="folder">All pictures.</param>
    /// <param name="share">The share, between 0 and 1.</param>
    public static bool[] Choose(ImageFolder folder, double share)
    {
        if (share is not (> 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(share), share, "A share lies between 0 and 1.");
        double[] places = [.. Enumerable.Range(0, folder.Count).Select(sample => Place(folder.FileNameOf(sample)))];
        bool[] chosen = [.. places.Select(place => place < share)];
        foreach (var group in Enumerable.Range(0, folder.Count).GroupBy(folder.LabelOf))
        {
            int[] samples = [.. group];
            double first = samples.Min(sample => places[sample]), last = samples.Max(sample => places[sample]);
            if (first == last)
                Put(last, false);
            else if (!Array.Exists(samples, sample => chosen[sample]))
                Put(first, true);
            else if (Array.TrueForAll(samples, sample => chosen[sample]))
                Put(last, false);

            void Put(double place, bool side)
            {
                foreach (int sample in samples.Where(sample => places[sample] == place))
                    chosen[sample] = side;
            }
        }
        return chosen.Contains(true) ? chosen
            : throw new ImageFolderException($"'{folder.Root}' has no picture to hold out: each is the only one of its class.");
    }

    /// <summary>Names of the classes without a picture that is held out.</summary>
    public static string[] WithoutAny(ImageFolder folder, bool[] chosen)
    {
        var some = Enumerable.Range(0, folder.Count).Where(sample => chosen[sample]).Select(folder.LabelOf).ToHashSet();
        return [.. folder.ClassNames.Where((_, label) => !some.Contains(label))];
    }

    /// <summary>Where between 0 and 1 a name falls, evenly.</summary>
    private static double Place(string name) =>
        BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(name))) / Math.Pow(2, 64);
}
