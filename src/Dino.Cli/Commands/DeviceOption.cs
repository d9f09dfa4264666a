using System.CommandLine;
using Dino.Cli.Arguments;
using Dino.Tensors;

namespace Dino.Cli.Commands;

/// <summary>Where a command computes: <c>--device</c> and <c>--threads</c>.</summary>
internal static class DeviceOption
{
    private static readonly Option<string> device = new("--device")
    {
        Description = "auto, cuda:N, opencl:N, cpu or cpu:debug; 'dino devices' lists them.",
        DefaultValueFactory = _ => "auto",
    };

    private static readonly Option<int> threads = new("--threads") { Description = "Threads of the cpu device; 0 for one a processor." };

    private static readonly Option<Precision> precision = new("--precision")
    {
        Description = "fp32, tf32 or bf16: what matrix products multiply; sums and all else are fp32.",
    };

    private static readonly Option<Blas> blas = new("--blas")
    {
        Description = "own or vendor: whose matrix products; vendor is cuBLAS, on cuda:N.",
    };

    private static readonly Option<int> memory =
        new("--memory-mb") { Description = "Memory to take of the device at most, in MiB; 0 for all of it." };

    public static void AddTo(Command command)
    {
        command.Options.Add(device);
        command.Options.Add(blas);
        command.Options.Add(precision);
        command.Options.Add(threads);
        command.Options.Add(memory);
    }

    public static Device Open(CommandContext context)
    {
        int count = context.Get(threads);
        if (count is < 0 or > DeviceOptions.MaxThreads)
            throw new UserErrorException(FormattableString.Invariant(
                $"--threads must lie between 0 and {DeviceOptions.MaxThreads}."))
            { IsUsage = true };
        try
        {
            string name = context.Get(device)!;
            var opened = Device.Open(name, new DeviceOptions
            {
                Threads = count,
                Precision = context.Get(precision),
                Blas = context.Get(blas),
                MemoryBytes = (long)context.GetBetween(memory, 0) << 20,
            });
            opened.Interrupt = context.Cancel;
            if (name == "auto")
                context.Say($"--device auto takes {opened}{(opened.IsHost ? ": no GPU was found, 'dino devices' says why" : "")}");
            if (opened.Precision != Precision.Fp32 && !opened.UsesTensorCores)
                context.Say($"--precision: {opened} has no tensor cores; operands are rounded for it, which is slower than fp32");
            return opened;
        }
        catch (ArgumentException e)
        {
            throw new UserErrorException($"--device: {e.Message}", e) { IsUsage = true };
        }
        catch (DeviceNotFoundException e)
        {
            throw new UserErrorException(e.Message, e);
        }
    }
}
