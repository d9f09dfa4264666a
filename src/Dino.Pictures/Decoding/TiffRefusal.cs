namespace Dino.Pictures.Decoding;

/// <summary>Why a TIFF gives no picture. Never leaves the reader: <see cref="TiffPicture"/> hands its reason on.</summary>
internal sealed class TiffRefusal(string reason) : Exception(reason)
{
    public const string Truncated = DecodeFault.Truncated, DamagedHeader = "its header is damaged", DamagedData = DecodeFault.Damaged;
}
