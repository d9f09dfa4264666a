using Dino.Pictures.DataSets;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>Frames in the order that people number them.</summary>
public class NaturalOrderTests
{
    [TestCase("1 10 11 12 2 3", "1 2 3 10 11 12")]
    [TestCase("f10 f9 f010 f1", "f1 f9 f010 f10")]
    [TestCase("s2e10 s10e1 s2e9", "s2e9 s2e10 s10e1")]
    [TestCase("99999999999999999999999 100000000000000000000000 7", "7 99999999999999999999999 100000000000000000000000")]
    [TestCase("b a1 a a01", "a a01 a1 b")]
    [TestCase("0 00 000", "0 00 000")]
    public void NumbersCount(string names, string expected)
    {
        string[] sorted = [.. names.Split(' ').Order(NaturalOrder.Instance)];
        Assert.That(string.Join(' ', sorted), Is.EqualTo(expected));
        Assert.That(names.Split(' ').Reverse().Order(NaturalOrder.Instance), Is.EqualTo(sorted), "whatever the system's order");
    }

    [Test]
    public void TheOrder_IsOne()
    {
        string[] names = ["", "0", "00", "1", "01", "10", "a", "a0", "a00b", "a0b1", "a1", "a10", "b", "1a", "1b", "01a", "é1", "-1"];
        foreach (string a in names)
        {
            foreach (string b in names)
            {
                Assert.That(Math.Sign(NaturalOrder.Instance.Compare(a, b)), Is.EqualTo(-Math.Sign(NaturalOrder.Instance.Compare(b, a))),
                    $"{a}, {b}");
                foreach (string c in names)
                {
                    if (NaturalOrder.Instance.Compare(a, b) <= 0 && NaturalOrder.Instance.Compare(b, c) <= 0)
                        Assert.That(NaturalOrder.Instance.Compare(a, c), Is.LessThanOrEqualTo(0), $"{a}, {b}, {c}");
                }
            }
        }
    }

    [TestCase("00001 00002 00010", null)]
    [TestCase("1 2 10", null)]
    [TestCase("shot1_frame2 shot1_frame10 shot2_frame1", null)]
    [TestCase("v.0001 v.0002", null)]
    [TestCase("1.50 2.25", null)]
    [TestCase("single", null)]
    [TestCase("01 1 2", "the same number")]
    [TestCase("1 1 2", "two are named '1'")]
    [TestCase("1 2 frame3", "numbered in different ways")]
    [TestCase("1 2 -1", "numbered in different ways")]
    [TestCase("begin middle", "has no number")]
    [TestCase("1.5 1.25", "counters or decimals")]
    public void NamesThatCanBeReadInTwoWays_AreSaid(string names, string? expected)
    {
        string? doubt = NaturalOrder.Doubt([.. names.Split(' ').Order(NaturalOrder.Instance)]);
        Assert.That(doubt, expected is null ? Is.Null : Does.Contain(expected));
    }
}
