namespace Shared; public static class Text { public static string Hello => Base.Word.Hello + " with a space"; }
