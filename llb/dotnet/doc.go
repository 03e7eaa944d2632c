// Package dotnet is what crosshull knows of .NET and its SDK: which platforms there are, how MSBuild is asked about a
// project, and how the project is restored and published.
//
// Contract: everything here is a pure function of its arguments, gives argument vectors rather than running them, and
// knows no LLB. What the SDK can answer is asked, not imitated: see [DescribeArgs] and [ParseDescription].
package dotnet
