using Dino.Tensors.Kernels;

namespace Dino.Pictures.Cutting;

/// <summary>
/// The crops of a launch as kernels find them: an entry a crop, with its task, its places in the buffers, and the first group that works on
/// it in each of the three launches that share crops out.
/// </summary>
internal static class CropIndex
{
    public const int Words = 7;

    public const int TaskAt = 0, ColumnsDoneAt = 1, PixelsAt = 2, OutputAt = 3, FirstColumnGroupAt = 4, FirstRowGroupAt = 5,
        FirstTileAt = 6;

    /// <summary>The entry of the crop that a group works on: the last whose first group is not behind it.</summary>
    public static int Find(ViewMemory index, int crops, int firstAt, int group)
    {
        int low = 0, high = crops - 1;
        while (low < high)
        {
            int middle = (low + high + 1) >> 1;
            if (index.Int(middle * Words + firstAt) <= group)
                low = middle;
            else
                high = middle - 1;
        }
        return low * Words;
    }
}
