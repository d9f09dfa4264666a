using System.CommandLine;
using System.Reflection;

namespace Dino.Cli.Arguments;

/// <summary>What the help can tell of every option without being told: the choices, the kind of number, and the default.</summary>
internal static class OptionHelp
{
    /// <summary>Completes the options of a command and of those below it.</summary>
    public static void Complete(Command command)
    {
        foreach (var option in command.Options)
        {
            var type = Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;
            var item = type.IsArray ? type.GetElementType()! : type;
            option.HelpName ??= item.IsEnum ? string.Join('|', WordCheck.Choices(item)) : NumberWord.IsNumber(item) ? "N" : null;
            // What is not given is 0, or the first choice; an absent number (int?) says itself what it means, and a flag is off.
            bool isSaid = option.HasDefaultValue || option.Description?.Contains("[default:", StringComparison.Ordinal) == true;
            if (!option.Required && !isSaid && option.ValueType.IsValueType && option.ValueType == type && type != typeof(bool))
                typeof(OptionHelp).GetMethod(nameof(GiveDefault), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(type)
                    .Invoke(null, [option]);
        }
        foreach (var below in command.Subcommands)
            Complete(below);
    }

    private static void GiveDefault<T>(Option<T> option) where T : struct => option.DefaultValueFactory = _ => default;
}
