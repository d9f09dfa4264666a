using System.CommandLine;
using System.Globalization;
using Dino.Tensors;
using Dino.Train.Cli;

namespace Dino.Train.Commands;

/// <summary><c>dino devices</c>: where this machine can compute.</summary>
internal static class DevicesCommand
{
    public static Command Build() => new ProgramCommand("devices", "List the devices of this machine.", Run)
    {
        Examples = [("dino devices", "names for --device, what each is, and its memory")],
    };

    private static void Run(CommandContext context)
    {
        var devices = Device.List();
        context.Result(
            json =>
            {
                json.WriteStartArray("devices");
                foreach (var (name, description, memory) in devices)
                {
                    json.WriteStartObject();
                    json.WriteString("name", name);
                    json.WriteString("description", description);
                    json.WriteNumber("memoryBytes", memory);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            },
            text =>
            {
                foreach (var (name, description, memory) in devices)
                    text.WriteLine(
                        name.PadRight(11)
                        + (memory > 0 ? string.Create(CultureInfo.InvariantCulture, $"{memory / (double)(1 << 30):F1} GiB") : "").PadRight(11)
                        + description);
            });
    }
}
