using LibFoo;
using Xunit;

namespace LibBar.Tests;

public class HoldTests
{
    [Theory]
    [InlineData(5, 10, "", 50)]
    [InlineData(10, 10, "", 0)] // exactly full
    [InlineData(11, 10, "crates", 100)]
    public void LoadsWhatFits(int pieces, int kilograms, string left, int free)
    {
        var hold = new Hold(100);

        var rest = hold.Load([new Cargo("crates", pieces, kilograms)]);

        Assert.Equal(left, string.Join(",", rest.Select(c => c.Name)));
        Assert.Equal(free, hold.Free);
    }

    [Fact]
    public void WhatDoesNotFitDoesNotHoldUpTheRest()
    {
        var hold = new Hold(100);

        var rest = hold.Load([new Cargo("a", 1, 60), new Cargo("b", 1, 50), new Cargo("c", 1, 40)]);

        Assert.Equal(["a", "c"], hold.Loaded.Select(c => c.Name));
        Assert.Equal(["b"], rest.Select(c => c.Name));
        Assert.Equal(0, hold.Free);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void NeedsACapacity(int kilograms) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Hold(kilograms));

    [Fact]
    public void LoadsAManifest()
    {
        const string json = """[{"name": "tea", "pieces": 4, "kilograms": 2.25}]""";
        var hold = new Hold(10);

        Assert.Empty(hold.Load(Manifest.Read(json)));

        Assert.Equal(1, hold.Free);
        Assert.Equal(hold.Loaded, Manifest.Read(Manifest.Write(hold.Loaded)));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""[{"pieces": 4}]""")]
    [InlineData("[")]
    public void RefusesWhatIsNoManifest(string json) =>
        Assert.Throws<FormatException>(() => Manifest.Read(json));
}
