using LibFoo;

namespace LibBar;

/// <summary>The hold of a ship: takes cargo, in the order given, for as long as it can carry it.</summary>
public sealed class Hold
{
    private readonly List<Cargo> _loaded = [];
    private readonly decimal _capacity;

    public Hold(decimal capacityKilograms)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacityKilograms);
        _capacity = capacityKilograms;
    }

    public IReadOnlyList<Cargo> Loaded => _loaded;

    public decimal Free => _capacity - _loaded.Sum(c => c.TotalKilograms);

    /// <summary>Loads what fits, and returns what has to stay on the quay.</summary>
    public IReadOnlyList<Cargo> Load(IEnumerable<Cargo> cargo)
    {
        var left = new List<Cargo>();
        foreach (var c in cargo)
        {
            (c.TotalKilograms <= Free ? _loaded : left).Add(c);
        }
        return left;
    }
}
