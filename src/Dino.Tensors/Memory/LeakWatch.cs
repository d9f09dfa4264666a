namespace Dino.Tensors.Memory;

/// <summary>
/// What a strict device says of things that look forgotten: arenas that are begun and never ended, tensors that pile up outside all arenas,
/// recordings that nobody plays back. Each is said once.
/// </summary>
internal sealed class LeakWatch(Device device, Action<string>? warn)
{
    private const int ManyArenas = 64, ManyLoose = 1000; // far more than code nests, or keeps on purpose

    private int loose;
    private bool saidArenas, saidLoose, saidRecording;

    public void ArenaBegins(Arena arena)
    {
        if (saidArenas || arena.Depth + 1 < ManyArenas)
            return;
        saidArenas = true;
        Say($"{arena.Depth + 1} arenas are open inside each other: one seems to be begun again and again and never ended, and holds all "
            + "its tensors. Write 'using var arena = device.BeginArena();'.");
    }

    public void ArenaEnds(Arena arena)
    {
        if (saidRecording || device.Tape is not { } tape || tape.BegunIn != arena)
            return;
        saidRecording = true;
        Say("An arena ended while the recording that began in it goes on: the tape holds what backward passes need until Backward or "
            + "Dispose.");
    }

    public void LooseBegins()
    {
        if (++loose < ManyLoose || saidLoose)
            return;
        saidLoose = true;
        Say($"{loose} tensors that were made while no arena was open are alive: each lives until its own Dispose. "
            + "Open an arena around the work: 'using var arena = device.BeginArena();'.");
    }

    public void LooseEnds() => loose--;

    public void DeviceEnds()
    {
        if (device.CurrentArena is { } arena)
            Say($"{arena.Depth + 1} arena(s) were never ended.");
        if (device.Tape is not null)
            Say("A recording was left open: neither Backward nor Dispose of its tape was called.");
    }

    private void Say(string what)
    {
        string line = $"Warning of device {device.Name}: {what}";
        if (warn is not null)
            warn(line);
        else
            Console.Error.WriteLine(line);
    }
}
