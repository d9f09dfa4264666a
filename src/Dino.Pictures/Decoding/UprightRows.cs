using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Dino.Pictures.Decoding;

/// <summary>Takes the rows of a stored picture, of three or four bytes a pixel, to their place in the upright one.</summary>
/// <param name="image">Receives the colours and, of four bytes a pixel and where it is wanted, the opacity.</param>
/// <param name="width">Of the stored picture.</param>
/// <param name="height">Of the stored picture.</param>
/// <param name="orientation">How it lies.</param>
internal readonly struct UprightRows(RgbImage image, int width, int height, Orientation orientation)
{
    /// <summary>Bytes behind the rows that are given to <see cref="Put"/> that it may read.</summary>
    public const int Padding = 16;

    /// <summary>Gives the image its upright size.</summary>
    /// <param name="opacity">Whether it gets an opacity.</param>
    public void Begin(bool opacity)
    {
        (int w, int h) = orientation.IsTransposed ? (height, width) : (width, height);
        image.Reshape(w, h);
        image.Opacity = opacity ? image.Opacity ?? new RgbImage() : null;
        image.Opacity?.Reshape(w, h);
    }

    /// <summary>Whether rows stay as they are.</summary>
    public bool IsUpright => orientation == Orientation.Upright;

    /// <summary>Where a stored row of RGB belongs, if <see cref="IsUpright"/>.</summary>
    public Span<byte> Row(int y) => image.Row(y);

    /// <summary>How many rows are best given at once: so many as stay near the processor.</summary>
    public static int RowsAtOnce(int width, int height) => Math.Min(height, Math.Max(16, (1 << 16) / (4 * width)));

    /// <summary>Puts some stored rows.</summary>
    /// <param name="rows">Their pixels, row behind row, and <see cref="Padding"/>.</param>
    /// <param name="y">The first row.</param>
    /// <param name="count">How many.</param>
    /// <param name="bytes">Bytes of a pixel, 3 or 4.</param>
    public void Put(ref byte rows, int y, int count, int bytes)
    {
        if (IsUpright)
        {
            int pixels = width * count;
            ref byte to = ref Unsafe.Add(ref MemoryMarshal.GetReference(image.Padded), (nint)y * width * 3);
            if (bytes == 3)
                Unsafe.CopyBlockUnaligned(ref to, ref rows, (uint)pixels * 3);
            else
                DropOpacity(ref rows, ref to, pixels);
            if (image.Opacity is { } opacity)
                Spread(ref Unsafe.Add(ref rows, 3), opacity.Pixels.Slice(y * width * 3, pixels * 3));
            return;
        }
        Turn(ref rows, y, count, bytes, image, isOpacity: false);
        if (image.Opacity is { } turned)
            Turn(ref Unsafe.Add(ref rows, 3), y, count, bytes, turned, isOpacity: true);
    }

    /// <summary>
    /// RGB of RGBA. Four pixels a step; the last step runs over into what is behind them, on both sides. Where both are one piece of
    /// memory, no step overtakes itself.
    /// </summary>
    public static void DropOpacity(ref byte rgba, ref byte rgb, int pixels)
    {
        var order = Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0x80, 0x80, 0x80, 0x80);
        for (nuint i = 0; i < (nuint)pixels; i += 4)
            Vector128.Shuffle(Vector128.LoadUnsafe(ref rgba, i * 4), order).StoreUnsafe(ref rgb, i * 3);
    }

    /// <summary>Every fourth byte, three times.</summary>
    public static void Spread(ref byte opacities, Span<byte> to)
    {
        for (int i = 0; i < to.Length; i += 3)
            to.Slice(i, 3).Fill(Unsafe.Add(ref opacities, (nint)(i / 3) * 4));
    }

    private void Turn(ref byte rows, int y, int count, int bytes, RgbImage to, bool isOpacity)
    {
        ref byte first = ref MemoryMarshal.GetReference(to.Padded);
        // In the upright picture, how far is it from a stored pixel to the next one, and to the one below?
        nint right = orientation.IsTransposed ? to.Width * 3 : 3, down = orientation.IsTransposed ? 3 : to.Width * 3;
        bool againstRight = orientation.IsTransposed ? orientation.AgainstY : orientation.AgainstX;
        bool againstDown = orientation.IsTransposed ? orientation.AgainstX : orientation.AgainstY;
        int second = isOpacity ? 0 : 1, third = isOpacity ? 0 : 2;
        for (int x = 0; x < width; x++)
        {
            nint column = (againstRight ? width - 1 - x : x) * right;
            for (int row = 0; row < count; row++)
            {
                nint line = (againstDown ? height - 1 - y - row : y + row) * down;
                ref byte from = ref Unsafe.Add(ref rows, ((nint)row * width + x) * bytes);
                ref byte target = ref Unsafe.Add(ref first, column + line);
                target = from;
                Unsafe.Add(ref target, 1) = Unsafe.Add(ref from, second);
                Unsafe.Add(ref target, 2) = Unsafe.Add(ref from, third);
            }
        }
    }
}
