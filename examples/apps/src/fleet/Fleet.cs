namespace Fleet;

public static class Names
{
    public static string Of(string what) => $"the {what} of the fleet";
}
