using System.Runtime.InteropServices;

namespace Dino.Tensors.Kernels.Host;

/// <summary>
/// Memory of the host outside the managed heap, in huge pages where the system has them: rows of a matrix lie on as many pages as there
/// are rows, and finding the pages of 4 KiB took up to a tenth of a product's time (more in a virtual machine).
/// </summary>
internal static unsafe partial class HostMemoryBlock
{
    /// <summary>A cache line, and the widest vector: what every block is aligned to.</summary>
    public const int Alignment = 64;

    private const int HugePage = 2 << 20;
    private const int AdviseHugePages = 14; // MADV_HUGEPAGE

    /// <summary>So many bytes, contents undefined.</summary>
    /// <exception cref="OutOfMemoryException">The system has not so much.</exception>
    public static void* Allocate(long bytes)
    {
        if (bytes < HugePage || !OperatingSystem.IsLinux())
            return NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
        void* block = NativeMemory.AlignedAlloc((nuint)bytes, HugePage);
        // Whole huge pages only: the rest would take memory that nobody asked for. Without huge pages nothing is lost.
        _ = Advise(block, (nuint)(bytes / HugePage * HugePage), AdviseHugePages);
        return block;
    }

    public static void Free(void* block) => NativeMemory.AlignedFree(block);

    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(void* address, nuint length, int advice);
}
