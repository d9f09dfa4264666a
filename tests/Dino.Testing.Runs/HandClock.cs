namespace Dino.Testing.Runs;

/// <summary>A clock that moves by hand.</summary>
public sealed class HandClock : TimeProvider
{
    private TimeSpan now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public void Advance(TimeSpan time) => now += time;

    public override long GetTimestamp() => now.Ticks;
}
