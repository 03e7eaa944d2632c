// Package differential makes repositories at random, edits them at random, and compares what is published of them.
//
// If crosshull leaves out a file that a build reads, the build may still pass, but make another app. So crosshull is
// compared with plain `dotnet publish` of the whole checkout, in the same SDK image: both have to fail, or to make the
// same files. Package judge, below this one, runs both.
//
// Contract: everything here is a function of its arguments. [Generate] and [Edit] draw from the numbers that they are
// given and nothing else, so a text such as "-seed 17 -edits 2" is all that is needed to see a difference again.
//
// # Where things are
//
//	recipe.go     what a repository is made from, as text
//	tree.go       files, in memory and in a folder
//	repository.go a repository, and how it is published
//	generate.go   projects and how they refer to each other
//	features_*.go what repositories have at random, each a function of its own
//	edit.go       what people do to a repository between two builds
//	compare.go    differences between two published folders, and which are allowed
//	strings.go    the texts in an assembly, to show how two differ
package differential
