using System.Text;
using Dino.Pictures.DataSets;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>Ground truths as Python's pickle writes them, read without Python and without calling anything.</summary>
public class PickledDataTests
{
    /// <summary>
    /// What Python 3.13 with NumPy writes by protocols 2 to 5 of {'imlist': ['a','b','c'], 'qimlist': ['q'], 'gnd': [{'easy':
    /// np.array([2,0]), 'hard':
    /// np.array([1], dtype='>i4'), 'junk': [], 'bbx': [1.5, 2.0, 30.25, np.float64(40)], 'ok': np.bool_(True), 'empty': np.array([],
    /// dtype=np.int64), 'big':
    /// 3000000000, 'neg': -7}]}.
    /// </summary>
    private static readonly string[] written =
    [
        "gAJ9cQAoWAYAAABpbWxpc3RxAV1xAihYAQAAAGFxA1gBAAAAYnEEWAEAAABjcQVlWAcAAABxaW1saXN0cQZdcQdYAQAAAHFxCGFYAwAAAGduZHEJXXEKfXEL"
        + "KFgEAAAAZWFzeXEMY251bXB5LmNvcmUubXVsdGlhcnJheQpfcmVjb25zdHJ1Y3QKcQ1jbnVtcHkKbmRhcnJheQpxDksAhXEPY19jb2RlY3MKZW5jb2RlCnEQ"
        + "WAEAAABicRFYBgAAAGxhdGluMXEShnETUnEUh3EVUnEWKEsBSwKFcRdjbnVtcHkKZHR5cGUKcRhYAgAAAGk4cRmJiIdxGlJxGyhLA1gBAAAAPHEcTk5OSv//"
        + "//9K/////0sAdHEdYoloEFgQAAAAAgAAAAAAAAAAAAAAAAAAAHEeaBKGcR9ScSB0cSFiWAQAAABoYXJkcSJoDWgOSwCFcSNoFIdxJFJxJShLAUsBhXEmaBhY"
        + "AgAAAGk0cSeJiIdxKFJxKShLA1gBAAAAPnEqTk5OSv////9K/////0sAdHErYoloEFgEAAAAAAAAAXEsaBKGcS1ScS50cS9iWAQAAABqdW5rcTBdcTFYAwAA"
        + "AGJieHEyXXEzKEc/+AAAAAAAAEdAAAAAAAAAAEdAPkAAAAAAAGNudW1weS5jb3JlLm11bHRpYXJyYXkKc2NhbGFyCnE0aBhYAgAAAGY4cTWJiIdxNlJxNyhL"
        + "A2gcTk5OSv////9K/////0sAdHE4YmgQWAgAAAAAAAAAAABEQHE5aBKGcTpScTuGcTxScT1lWAIAAABva3E+aDRoGFgCAAAAYjFxP4mIh3FAUnFBKEsDWAEA"
        + "AAB8cUJOTk5K/////0r/////SwB0cUNiaBBYAQAAAAFxRGgShnFFUnFGhnFHUnFIWAUAAABlbXB0eXFJaA1oDksAhXFKaBSHcUtScUwoSwFLAIVxTWgbiWNf"
        + "X2J1aWx0aW5fXwpieXRlcwpxTilScU90cVBiWAMAAABiaWdxUYoFAF7QsgBYAwAAAG5lZ3FSSvn///91YXUu",
        "gAN9cQAoWAYAAABpbWxpc3RxAV1xAihYAQAAAGFxA1gBAAAAYnEEWAEAAABjcQVlWAcAAABxaW1saXN0cQZdcQdYAQAAAHFxCGFYAwAAAGduZHEJXXEKfXEL"
        + "KFgEAAAAZWFzeXEMY251bXB5LmNvcmUubXVsdGlhcnJheQpfcmVjb25zdHJ1Y3QKcQ1jbnVtcHkKbmRhcnJheQpxDksAhXEPQwFicRCHcRFScRIoSwFLAoVx"
        + "E2NudW1weQpkdHlwZQpxFFgCAAAAaThxFYmIh3EWUnEXKEsDWAEAAAA8cRhOTk5K/////0r/////SwB0cRliiUMQAgAAAAAAAAAAAAAAAAAAAHEadHEbYlgE"
        + "AAAAaGFyZHEcaA1oDksAhXEdaBCHcR5ScR8oSwFLAYVxIGgUWAIAAABpNHEhiYiHcSJScSMoSwNYAQAAAD5xJE5OTkr/////Sv////9LAHRxJWKJQwQAAAAB"
        + "cSZ0cSdiWAQAAABqdW5rcShdcSlYAwAAAGJieHEqXXErKEc/+AAAAAAAAEdAAAAAAAAAAEdAPkAAAAAAAGNudW1weS5jb3JlLm11bHRpYXJyYXkKc2NhbGFy"
        + "CnEsaBRYAgAAAGY4cS2JiIdxLlJxLyhLA2gYTk5OSv////9K/////0sAdHEwYkMIAAAAAAAAREBxMYZxMlJxM2VYAgAAAG9rcTRoLGgUWAIAAABiMXE1iYiH"
        + "cTZScTcoSwNYAQAAAHxxOE5OTkr/////Sv////9LAHRxOWJDAQFxOoZxO1JxPFgFAAAAZW1wdHlxPWgNaA5LAIVxPmgQh3E/UnFAKEsBSwCFcUFoF4lDAHFC"
        + "dHFDYlgDAAAAYmlncUSKBQBe0LIAWAMAAABuZWdxRUr5////dWF1Lg==",
        "gASVCAIAAAAAAAB9lCiMBmltbGlzdJRdlCiMAWGUjAFilIwBY5RljAdxaW1saXN0lF2UjAFxlGGMA2duZJRdlH2UKIwEZWFzeZSMFW51bXB5LmNvcmUubXVs"
        + "dGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlIwFbnVtcHmUjAduZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwKFlGgQjAVkdHlwZZSTlIwCaTiUiYiHlFKUKEsD"
        + "jAE8lE5OTkr/////Sv////9LAHSUYolDEAIAAAAAAAAAAAAAAAAAAACUdJRijARoYXJklGgPaBJLAIWUaBSHlFKUKEsBSwGFlGgZjAJpNJSJiIeUUpQoSwOM"
        + "AT6UTk5OSv////9K/////0sAdJRiiUMEAAAAAZR0lGKMBGp1bmuUXZSMA2JieJRdlChHP/gAAAAAAABHQAAAAAAAAABHQD5AAAAAAABoDYwGc2NhbGFylJOU"
        + "aBmMAmY4lImIh5RSlChLA2gdTk5OSv////9K/////0sAdJRiQwgAAAAAAABEQJSGlFKUZYwCb2uUaDJoGYwCYjGUiYiHlFKUKEsDjAF8lE5OTkr/////Sv//"
        + "//9LAHSUYkMBAZSGlFKUjAVlbXB0eZRoD2gSSwCFlGgUh5RSlChLAUsAhZRoHIlDAJR0lGKMA2JpZ5SKBQBe0LIAjANuZWeUSvn///91YXUu",
        "gAWV/wEAAAAAAAB9lCiMBmltbGlzdJRdlCiMAWGUjAFilIwBY5RljAdxaW1saXN0lF2UjAFxlGGMA2duZJRdlH2UKIwEZWFzeZSMEm51bXB5LmNvcmUubnVt"
        + "ZXJpY5SMC19mcm9tYnVmZmVylJOUKJYQAAAAAAAAAAIAAAAAAAAAAAAAAAAAAACUjAVudW1weZSMBWR0eXBllJOUjAJpOJSJiIeUUpQoSwOMATyUTk5OSv//"
        + "//9K/////0sAdJRiSwKFlIwBQ5R0lFKUjARoYXJklGgPKJYEAAAAAAAAAAAAAAGUaBOMAmk0lImIh5RSlChLA4wBPpROTk5K/////0r/////SwB0lGJLAYWU"
        + "aBp0lFKUjARqdW5rlF2UjANiYniUXZQoRz/4AAAAAAAAR0AAAAAAAAAAR0A+QAAAAAAAjBVudW1weS5jb3JlLm11bHRpYXJyYXmUjAZzY2FsYXKUk5RoE4wC"
        + "ZjiUiYiHlFKUKEsDaBdOTk5K/////0r/////SwB0lGJDCAAAAAAAAERAlIaUUpRljAJva5RoLWgTjAJiMZSJiIeUUpQoSwOMAXyUTk5OSv////9K/////0sA"
        + "dJRiQwEBlIaUUpSMBWVtcHR5lGgPKJYAAAAAAAAAAJRoFksAhZRoGnSUUpSMA2JpZ5SKBQBe0LIAjANuZWeUSvn///91YXUu",
    ];

    [Test]
    public void WhatPythonWrites_IsRead([Range(0, 3)] int protocol) => Assert.That(
        PickledData.Read(new MemoryStream(Convert.FromBase64String(written[protocol])))!.ToJsonString(),
        Is.EqualTo("{\"imlist\":[\"a\",\"b\",\"c\"],\"qimlist\":[\"q\"],\"gnd\":[{\"easy\":[2,0],\"hard\":[1],\"junk\":[],\"bbx\":[1.5,2,30.25,40],\"ok\":1,\"empty\":[],\"big\":3000000000,\"neg\":-7}]}"));

    [Test]
    public void AGroundTruth_IsOpenedAsPublished([Range(0, 3)] int protocol)
    {
        using var folder = new PictureFolder();
        folder.Write("gnd_small.pkl", Convert.FromBase64String(written[protocol]));
        var set = RetrievalSet.Open(folder.Root, null);

        Assert.That((set.Images.Count, set.Queries.Count), Is.EqualTo((3, 1)));
        Assert.That(set.Queries[0].Easy, Is.EqualTo([2, 0]));
        Assert.That(set.Queries[0].Hard, Is.EqualTo([1]));
        Assert.That(set.Queries[0].Box, Is.EqualTo([1.5, 2, 30.25, 40]));
    }

    [Test]
    public void ACall_IsRefused()
    {
        // os.system('echo x'), as a pickle spells it.
        byte[] evil = Convert.FromBase64String("gASVIQAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAZlY2hvIHiUhZRSlC4=");
        Assert.That(() => PickledData.Read(new MemoryStream(evil)),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("calls for more"));
    }

    [Test]
    public void ListsOfLists_OfOneListManyTimes_AreBounded()
    {
        // Each list holds the one before it ten times: 10^20 numbers of two hundred bytes.
        var pickle = new StringBuilder("\u0080\u0002]K\u0001a");
        for (int i = 0; i < 20; i++)
            pickle.Append("q\0](" + string.Concat(Enumerable.Repeat("h\0", 10)) + "e");
        byte[] bytes = Encoding.Latin1.GetBytes(pickle.Append('.').ToString());
        Assert.That(() => PickledData.Read(new MemoryStream(bytes)),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("more than"));
    }

    [Test]
    public void AList_ThatHoldsItself_IsRefused()
    {
        byte[] bytes = Encoding.Latin1.GetBytes("\u0080\u0002]q\0h\0a.");
        Assert.That(() => PickledData.Read(new MemoryStream(bytes)), Throws.TypeOf<InvalidDataException>());
    }

    [Test]
    public void WhatIsDamaged_IsInvalid_AndNothingElse()
    {
        var random = new Random(1);
        foreach (string text in written)
        {
            byte[] whole = Convert.FromBase64String(text);
            for (int i = 0; i < 400; i++)
            {
                byte[] damaged = i < whole.Length / 2 ? whole[..(2 * i)] : (byte[])whole.Clone();
                if (damaged.Length == whole.Length)
                    damaged[random.Next(2, whole.Length)] = (byte)random.Next(256);
                try
                {
                    PickledData.Read(new MemoryStream(damaged));
                }
                catch (InvalidDataException)
                {
                }
            }
        }
    }
}
