using System.Globalization;
using Dino.Pictures.DataSets;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>Canonical decomposition; what is expected is Python's <c>unicodedata.normalize("NFD", …)</c> (Unicode 14).</summary>
public class NameFormTests
{
    [TestCase("00E9", "0065 0301")]
    [TestCase("1EC7", "0065 0323 0302")] // a part that has parts, and marks that change places
    [TestCase("0065 0302 0323", "0065 0323 0302")]
    [TestCase("0061 0327 0328 0061 0328 0327", "0061 0327 0328 0061 0328 0327")] // marks of one class stay as they stand
    [TestCase("D55C AE00", "1112 1161 11AB 1100 1173 11AF")]
    [TestCase("AC00 AC01 D7A3", "1100 1161 1100 1161 11A8 1112 1175 11C2")]
    [TestCase("212B 2126 2329", "0041 030A 03A9 3008")] // one sign for another
    [TestCase("0958 09CB FB1D", "0915 093C 09C7 09BE 05D9 05B4")]
    [TestCase("1D15E 1F600", "1D157 1D165 1F600")] // beyond 16 bits
    [TestCase("2F800 FA1E FB01", "4E3D 7FBD FB01")] // a ligature is no canonical pair
    [TestCase("0C4D 3099 05B0 064B 0345 1DCE", "3099 0C4D 05B0 064B 1DCE 0345")]
    public void Decompose_IsUnicodes(string name, string expected) =>
        Assert.That(Codes(NameForm.Decompose(Text(name))), Is.EqualTo(expected));

    private static string Text(string codes) =>
        string.Concat(codes.Split(' ').Select(
        code => char.ConvertFromUtf32(int.Parse(code, NumberStyles.HexNumber, CultureInfo.InvariantCulture))));

    private static string Codes(string text) => string.Join(' ', text.EnumerateRunes().Select(rune => $"{rune.Value:X4}"));
}
