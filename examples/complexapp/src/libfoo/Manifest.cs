using Newtonsoft.Json;

namespace LibFoo;

/// <summary>Reads and writes the cargo of a ship as JSON.</summary>
public static class Manifest
{
    /// <exception cref="FormatException">The text is not a list of cargo.</exception>
    public static IReadOnlyList<Cargo> Read(string json)
    {
        try
        {
            return JsonConvert.DeserializeObject<List<Cargo>>(json) ?? [];
        }
        catch (JsonException e)
        {
            throw new FormatException($"not a manifest: {e.Message}", e);
        }
    }

    public static string Write(IEnumerable<Cargo> cargo) => JsonConvert.SerializeObject(cargo, Formatting.Indented);
}
