using Newtonsoft.Json;

namespace LibFoo;

/// <summary>One line of a manifest: so many pieces of something, each of some weight.</summary>
public sealed record Cargo(
    [property: JsonProperty("name", Required = Required.Always)] string Name,
    [property: JsonProperty("pieces")] int Pieces,
    [property: JsonProperty("kilograms")] decimal Kilograms)
{
    /// <summary>Weight of all the pieces.</summary>
    [JsonIgnore]
    public decimal TotalKilograms => Pieces * Kilograms;
}
