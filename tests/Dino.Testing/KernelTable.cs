using System.Reflection;
using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Host;
using Dino.Tensors.Kernels.Simt;

namespace Dino.Testing;

/// <summary>
/// Every kernel that the engine and the assemblies built on it can launch on an accelerator, found by reflection: those beside the tests,
/// but
/// for tests themselves, which may have bodies of their own.
/// </summary>
public static class KernelTable
{
    private static readonly Lazy<IReadOnlyList<Assembly>> assemblies = new(Assemblies);
    private static readonly Type[] loops = [typeof(IElementBody), typeof(IRowBody), typeof(IGroupBody), typeof(IHostJob)];
    private static readonly Lazy<IReadOnlyList<Kernel>> all = new(Find);

    internal static IReadOnlyList<Kernel> All => all.Value;

    /// <summary>
    /// Kernels of the library that this process has made and that are not in the table: nobody compiled them ahead of their launch.
    /// </summary>
    public static IReadOnlyList<string> Unlisted =>
        [.. Kernel.All().Where(kernel => IsOurs(kernel.Entry.DeclaringType!)).Select(kernel => kernel.Name)
            .Except(All.Select(kernel => kernel.Name))];

    /// <summary>The types of bodies, of element, row and group.</summary>
    public static IReadOnlyList<Type> Bodies => [.. Types().Where(t => t.IsValueType
        && (t.IsAssignableTo(typeof(IElementBody)) || t.IsAssignableTo(typeof(IRowBody)) || t.IsAssignableTo(typeof(IGroupBody))))];

    private static bool IsOurs(Type type) => assemblies.Value.Contains(type.Assembly) && type.GetGenericArguments().All(IsOurs);

    private static IReadOnlyList<Assembly> Assemblies()
    {
        var engine = typeof(Kernel).Assembly;
        var others = Directory.EnumerateFiles(AppContext.BaseDirectory, "*.dll").Select(Path.GetFileNameWithoutExtension)
            .Where(name => name!.StartsWith("Dino.", StringComparison.Ordinal) && !name.Contains("Test", StringComparison.Ordinal))
            .Select(name => Assembly.Load(name!))
            .Where(a => a != engine && a.GetReferencedAssemblies().Any(r => r.Name == engine.GetName().Name));
        return [engine, .. others];
    }

    private static IEnumerable<Type> Types() => assemblies.Value.SelectMany(assembly => assembly.GetTypes());

    /// <summary>
    /// Element, row and group bodies for one lane and views, closed over every functor where they are generic in one; and all kernels in
    /// static
    /// fields of types that are not generic, or that are generic as those bodies are.
    /// </summary>
    private static IReadOnlyList<Kernel> Find()
    {
        Type[] types = [.. Types()];
        var kernels = new Dictionary<string, Kernel>();
        foreach (var type in types.Where(t => !t.IsInterface))
        {
            foreach (var closed in Closed(type, types))
            {
                if (closed.IsAssignableTo(typeof(IElementBody)))
                    Add(kernels, typeof(ElementLoop<>).MakeGenericType(closed));
                if (closed.IsAssignableTo(typeof(IRowBody)))
                    Add(kernels, typeof(RowLoop<>).MakeGenericType(closed));
                if (closed.IsAssignableTo(typeof(IGroupBody)))
                    Add(kernels, typeof(GroupLoop<>).MakeGenericType(closed));
                Add(kernels, closed);
            }
        }
        return [.. kernels.Values.OrderBy(k => k.Name, StringComparer.Ordinal)];
    }

    private static void Add(Dictionary<string, Kernel> kernels, Type type)
    {
        const BindingFlags own = BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.DeclaredOnly;
        foreach (var field in type.GetFields(own))
        {
            if (!field.IsInitOnly || !field.FieldType.IsAssignableTo(typeof(Kernel)))
                continue;
            RuntimeHelpers.RunClassConstructor(type.TypeHandle);
            var kernel = (Kernel)field.GetValue(null)!;
            kernels[kernel.Name] = kernel;
        }
    }

    /// <summary>The type with its parameters replaced by all that they can be on an accelerator; none if one of them is unknown.</summary>
    private static IEnumerable<Type> Closed(Type type, Type[] types)
    {
        if (!type.IsGenericTypeDefinition)
            return type.ContainsGenericParameters ? [] : [type];
        IEnumerable<Type[]> choices = [[]];
        foreach (var parameter in type.GetGenericArguments())
        {
            Type[] fitting = Fitting(parameter, types);
            choices = [.. choices.SelectMany(chosen => fitting.Select(t => (Type[])[.. chosen, t]))];
        }
        return choices.Select(type.MakeGenericType);
    }

    private static Type[] Fitting(Type parameter, Type[] types)
    {
        Type[] contracts = [.. parameter.GetGenericParameterConstraints().Where(c => c != typeof(ValueType))];
        if (contracts is not [var contract])
            return [];
        if (contract.IsGenericType && contract.GetGenericTypeDefinition() == typeof(IReal<>))
            return [typeof(Lane)];
        if (contract.IsGenericType && contract.GetGenericTypeDefinition() == typeof(IMemory<,>))
            return [typeof(ViewMemory)];
        if (contract.IsGenericType || loops.Contains(contract))
            return [];
        return [.. types.Where(t => t.IsValueType && t.IsAssignableTo(contract)).SelectMany(t => Closed(t, types))];
    }
}
