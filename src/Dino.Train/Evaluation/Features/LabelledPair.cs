using Dino.Pictures.DataSets;

namespace Dino.Train.Evaluation.Features;

/// <summary>
/// Two folders of labelled pictures, one to learn from and one to be judged by; classes are folders of the same names in both.
/// </summary>
public sealed class LabelledPair
{
    /// <summary>Matches the classes.</summary>
    /// <param name="train">Pictures to learn from.</param>
    /// <param name="val">Pictures to classify.</param>
    /// <param name="what">What needs the labels, for messages.</param>
    /// <exception cref="EvaluationException">A picture lies in no class folder, or a class of val is none of train.</exception>
    public LabelledPair(ImageFolder train, ImageFolder val, string what)
    {
        foreach (var folder in (ReadOnlySpan<ImageFolder>)[train, val])
        {
            if (!folder.IsLabelled)
                throw new EvaluationException($"{folder.Root} holds pictures outside class folders; {what} needs one folder a class.");
        }
        var known = train.ClassNames.Select((name, label) => (name, label))
            .ToDictionary(entry => entry.name, entry => entry.label, NameForm.Comparer);
        if (val.ClassNames.FirstOrDefault(name => !known.ContainsKey(name)) is { } missing)
            throw new EvaluationException(
                $"{val.Root} has a class '{missing}' that {train.Root} has not; {what} needs class folders of the same names in both.");
        (Train, Val) = (train, val);
        ValClasses = [.. val.ClassNames.Select(name => known[name])];
    }

    /// <summary>Pictures to learn from; their classes have the folder's own numbers.</summary>
    public ImageFolder Train { get; }

    /// <summary>Pictures to classify.</summary>
    public ImageFolder Val { get; }

    /// <summary>For each class of <see cref="Val"/> its number in <see cref="Train"/>.</summary>
    internal int[] ValClasses { get; }
}
