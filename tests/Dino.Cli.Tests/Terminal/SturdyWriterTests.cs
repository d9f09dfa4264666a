using System.Text;
using Dino.Cli.Terminal;
using NUnit.Framework;

namespace Dino.Cli.Tests.Terminal;

/// <summary>A full disk or a terminal that has gone takes the words, and nothing else.</summary>
public class SturdyWriterTests
{
    [Test]
    public void WhatCannotBeWritten_IsLost_AndItsReasonKept()
    {
        using var writer = new SturdyWriter(new BrokenWriter());
        writer.WriteLine("a");
        writer.Write('b');
        writer.Write("c"u8.Length);
        writer.WriteLine();
        writer.Flush();

        Assert.That(writer.Failure, Is.TypeOf<IOException>().With.Message.EqualTo("Input/output error: write 1"));
    }

    [Test]
    public void WhatCanBeWritten_Arrives_AlsoAfterAFailure()
    {
        var broken = new BrokenWriter { Until = 2 };
        using var writer = new SturdyWriter(broken);
        writer.WriteLine("lost");
        writer.WriteLine("kept");

        Assert.That(broken.Written.ToString(), Does.EndWith("kept\n"));
        Assert.That(writer.Failure, Is.Not.Null);
    }

    [Test]
    public void OtherErrors_AreNotSwallowed()
    {
        using var writer = new SturdyWriter(new BrokenWriter { Throws = _ => new InvalidOperationException("a mistake of ours") });

        Assert.That(() => writer.WriteLine("a"), Throws.InvalidOperationException);
    }

    [Test]
    public void WorkGoesOn_WhenItsProgressCannotBeShown()
    {
        int done = 0;
        ScreenDisplay.For(new BrokenWriter()).Run("training", 3, tracker =>
        {
            for (; done < 3; done++)
            {
                tracker.Note("a line that stays");
                tracker.Report(done + 1);
            }
        });

        Assert.That(done, Is.EqualTo(3));
    }

    internal sealed class BrokenWriter : TextWriter
    {
        public BrokenWriter() => NewLine = "\n";

        public override Encoding Encoding => Encoding.UTF8;

        public StringBuilder Written { get; } = new();

        public int Until { get; init; } = int.MaxValue;

        public Func<int, Exception> Throws { get; init; } = write => new IOException($"Input/output error: write {write}");

        private int Writes { get; set; }

        public override void Write(char value)
        {
            if (++Writes < Until)
                throw Throws(Writes);
            Written.Append(value);
        }
    }
}
