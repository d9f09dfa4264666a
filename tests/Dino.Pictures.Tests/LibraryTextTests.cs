using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using Dino.Pictures.Transforms;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

public class LibraryTextTests
{
    // Options are the program's; the library names properties, and the program puts its options for them.
    [Test]
    public void NoText_NamesAnOption()
    {
        using var file = new PEReader(File.OpenRead(typeof(View).Assembly.Location));
        var metadata = file.GetMetadataReader();
        var texts = new List<string>();
        for (var handle = MetadataTokens.UserStringHandle(1); !handle.IsNil; handle = metadata.GetNextHandle(handle))
            texts.Add(metadata.GetUserString(handle));

        Assert.That(texts, Has.Count.GreaterThan(50));
        Assert.That(texts.Where(text => Regex.IsMatch(text, "--[a-z]")), Is.Empty);
    }

    [Test]
    public void NeitherDrawingNorCommandLines_AreBehindIt() =>
        Assert.That(
            typeof(View).Assembly.GetReferencedAssemblies().Select(name => name.Name!)
                .Where(name => !name.StartsWith("System.", StringComparison.Ordinal)),
            Is.EquivalentTo(["BitMiracle.LibTiff.NET", "Dino.Tensors", "SixLabors.ImageSharp", "SkiaSharp"]));
}
