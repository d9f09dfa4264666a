using System.Globalization;
using Dino.Cli.Arguments;
using Dino.Pictures.DataSets;
using Dino.Pictures.Loading;
using Dino.Tensors.Io;

namespace Dino.Cli.Commands;

/// <summary>Says where the depth of a folder's pictures does not go with how they are read.</summary>
internal static class DepthNotes
{
    /// <summary>The advice where a trained network looks at pictures.</summary>
    public const string Evaluation = "a network that is to see all of them is trained with --range LOW,HIGH";

    // In a range of so many times its own values, a picture is nearly black.
    private const int Dark = 4;

    /// <summary>Writes the notes.</summary>
    /// <param name="context">Where to.</param>
    /// <param name="folder">The pictures.</param>
    /// <param name="preprocessing">How they are read.</param>
    /// <param name="channels">Channels that they are read for.</param>
    /// <param name="advice">What helps, where a range would.</param>
    public static void Say(CommandContext context, ImageFolder folder, Preprocessing preprocessing, int channels, string advice)
    {
        foreach (string line in Of(PictureSurvey.Of(folder, PictureChoice.MaxPixels(context), context.Cancel), preprocessing,
            channels, advice))
            context.Error.WriteLine($"note: {RawName.Shown(folder.Root)}: {line}");
    }

    internal static IEnumerable<string> Of(PictureSurvey survey, Preprocessing preprocessing, int channels, string advice)
    {
        string all = survey.Known == survey.Pictures ? $"{survey.Pictures} pictures" : $"{survey.Known} pictures that were looked at";
        if (preprocessing.Range is { } range)
        {
            if (survey.Plain > 0 && range.High > Dark * 255)
                yield return $"{survey.Plain} of {all} have 8 bits: in the range {PreprocessingChoice.Text(range)} they are nearly black";
            yield break;
        }
        string values = string.Create(CultureInfo.InvariantCulture, $"{survey.Values.High:G6}");
        if (survey.Deep > 0)
        {
            string what = preprocessing.IsDeep(channels) ? "" : ", of which the upper 8 are used";
            string suggested = string.Create(CultureInfo.InvariantCulture, $"0,{Highest(survey.Values.High)}");
            yield return $"{survey.Deep} of {all} have {survey.Bits} bits{what}; their values go to {values}: "
                + advice.Replace("LOW,HIGH", suggested, StringComparison.Ordinal);
        }
        if (survey.Floats > 0)
            yield return $"{survey.Floats} of {all} hold floating-point numbers, of which 0 … 1 is taken; their values go from "
                + string.Create(CultureInfo.InvariantCulture, $"{survey.Values.Low:G6} to {values}: {advice}");
    }

    // All that the bits of the highest value hold.
    private static long Highest(double value)
    {
        long highest = 255;
        while (highest < value && highest < uint.MaxValue)
            highest = 2 * highest + 1;
        return highest;
    }
}
