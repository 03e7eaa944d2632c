namespace Base; public static class Word { public const string Hello = "hello"; }
