// Package dotnet holds what crosshull knows of .NET and its SDK: which platforms exist, how to ask MSBuild about a
// project, and how to restore and publish the project.
//
// Contract: every function here is pure. It returns argument vectors and does not run them, and knows no LLB. If the
// SDK can answer a question, ask it instead of imitating it: see [DescribeArgs] and [ParseDescription].
package dotnet
