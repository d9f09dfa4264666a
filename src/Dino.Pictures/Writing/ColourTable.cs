namespace Dino.Pictures.Writing;

/// <summary>
/// 256 colours for a picture by median cut (Heckbert 1982): the box of colours with most pixels times extent is halved, at the median of
/// its
/// longest side, until there are enough. Colours are told apart by five bits a channel.
/// </summary>
internal sealed class ColourTable
{
    private const int Bits = 5, Levels = 1 << Bits, Most = 256;

    private readonly int[] counts = new int[Levels * Levels * Levels];
    private readonly long[] sums = new long[3 * Levels * Levels * Levels];
    private readonly byte[] places = new byte[Levels * Levels * Levels];

    /// <summary>(256, 3), red first; what a picture does not need is black.</summary>
    public byte[] Palette { get; } = new byte[3 * Most];

    /// <summary>Chooses the colours of a picture.</summary>
    public void Choose(ReadOnlySpan<byte> rgb)
    {
        Array.Clear(counts);
        Array.Clear(sums);
        Array.Clear(Palette);
        for (int i = 0; i < rgb.Length; i += 3)
        {
            int bin = Bin(rgb[i], rgb[i + 1], rgb[i + 2]);
            counts[bin]++;
            for (int c = 0; c < 3; c++)
                sums[3 * bin + c] += rgb[i + c];
        }
        int[] used = [.. Enumerable.Range(0, counts.Length).Where(bin => counts[bin] > 0)];
        var boxes = new List<Box> { Measure(used, 0, used.Length) };
        while (boxes.Count < Most)
        {
            int widest = 0;
            for (int i = 1; i < boxes.Count; i++)
                widest = boxes[i].Weight > boxes[widest].Weight ? i : widest;
            var box = boxes[widest];
            if (box.Weight == 0)
                break; // every box is one colour
            int middle = Halve(used, box);
            boxes[widest] = Measure(used, box.From, middle);
            boxes.Add(Measure(used, middle, box.To));
        }
        for (int place = 0; place < boxes.Count; place++)
        {
            long pixels = 0;
            Span<long> total = [0, 0, 0];
            foreach (int bin in used.AsSpan(boxes[place].From, boxes[place].To - boxes[place].From))
            {
                places[bin] = (byte)place;
                pixels += counts[bin];
                for (int c = 0; c < 3; c++)
                    total[c] += sums[3 * bin + c];
            }
            for (int c = 0; c < 3; c++)
                Palette[3 * place + c] = (byte)((total[c] + pixels / 2) / pixels);
        }
    }

    /// <summary>The place of each pixel's colour, for the picture that the colours were chosen for.</summary>
    public void Map(ReadOnlySpan<byte> rgb, Span<byte> indices)
    {
        for (int i = 0; i < indices.Length; i++)
            indices[i] = places[Bin(rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2])];
    }

    private static int Bin(byte red, byte green, byte blue) =>
        (red >> (8 - Bits) << 2 * Bits) | (green >> (8 - Bits) << Bits) | (blue >> (8 - Bits));

    private static int Level(int bin, int channel) => (bin >> ((2 - channel) * Bits)) & (Levels - 1);

    private Box Measure(int[] used, int from, int to)
    {
        Span<int> low = [Levels, Levels, Levels], high = [-1, -1, -1];
        long pixels = 0;
        for (int i = from; i < to; i++)
        {
            pixels += counts[used[i]];
            for (int c = 0; c < 3; c++)
                (low[c], high[c]) = (Math.Min(low[c], Level(used[i], c)), Math.Max(high[c], Level(used[i], c)));
        }
        int longest = 0;
        for (int c = 1; c < 3; c++)
            longest = high[c] - low[c] > high[longest] - low[longest] ? c : longest;
        return new Box(from, to, longest, pixels * (high[longest] - low[longest]));
    }

    private int Halve(int[] used, Box box)
    {
        var bins = used.AsSpan(box.From, box.To - box.From);
        bins.Sort((a, b) => Level(a, box.Channel) != Level(b, box.Channel) ? Level(a, box.Channel) - Level(b, box.Channel) : a - b);
        long pixels = 0, half = 0;
        foreach (int bin in bins)
            pixels += counts[bin];
        int middle = 0;
        while (middle < bins.Length - 1 && half * 2 < pixels)
            half += counts[bins[middle++]];
        return box.From + Math.Max(1, middle);
    }

    /// <summary>Some of the used colours, the channel in which they differ most, and pixels times that difference.</summary>
    private readonly record struct Box(int From, int To, int Channel, long Weight);
}
