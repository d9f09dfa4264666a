using System.CommandLine;
using System.Globalization;
using Dino.Cli.Arguments;
using Dino.Tensors;

namespace Dino.Cli.Commands;

/// <summary><c>dino devices</c>: where this machine can compute.</summary>
internal static class DevicesCommand
{
    public static Command Build() => new ProgramCommand("devices", "List the devices of this machine.", Run)
    {
        Examples = [("dino devices", "names for --device, what each is, its memory, and what is missing for others")],
    };

    private static void Run(CommandContext context)
    {
        context.KeepsNothing();
        var list = DeviceList.Find();
        context.Cancel.ThrowIfCancellationRequested();
        context.Result(
            json =>
            {
                json.WriteStartArray("devices");
                foreach (var device in list.Devices)
                {
                    json.WriteStartObject();
                    json.WriteString("name", device.Name);
                    json.WriteString("kind", device.Kind);
                    json.WriteString("description", device.Description);
                    json.WriteNumber("memoryBytes", device.MemoryBytes);
                    json.WriteNumber("computeUnits", device.ComputeUnits);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
                json.WriteStartArray("missing");
                foreach (string reason in list.Missing)
                    json.WriteStringValue(reason);
                json.WriteEndArray();
            },
            text =>
            {
                foreach (var device in list.Devices)
                {
                    string memory = device.MemoryBytes > 0
                        ? string.Create(CultureInfo.InvariantCulture, $"{device.MemoryBytes / (double)(1 << 30):F1} GiB") : "";
                    string units = device.ComputeUnits > 0 ? $"{device.ComputeUnits} {(device.Name == "cpu" ? "cores" : "units")}" : "";
                    text.WriteLine($"{device.Name,-11}{device.Kind,-24}{memory,-11}{units,-11}{device.Description}".TrimEnd());
                }
                foreach (string reason in list.Missing)
                    text.WriteLine(reason);
            });
    }
}
