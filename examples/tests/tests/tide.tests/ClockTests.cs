using System;
using Xunit;

namespace Tide.Tests;

public class ClockTests
{
    [Theory]
    [InlineData(0, 745)]
    [InlineData(744, 745)]
    [InlineData(745, 1490)]
    public void FindsTheNextHighWater(int minute, int next) => Assert.Equal(next, Clock.Next(minute));

    [Fact]
    public void KnowsItsHarbour() => Assert.Equal("north", Environment.GetEnvironmentVariable("TIDE_HARBOUR"));

    [Fact]
    [Trait("Category", "Slow")]
    public void WaitsForTheTide() => Assert.Fail("nobody waits twelve hours");
}
