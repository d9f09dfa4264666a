namespace Dino.Train;

internal static class Program
{
    private static int Main() => 0;
}
