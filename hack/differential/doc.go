// Package differential makes repositories at random, edits them at random, and compares what is published of them.
//
// A narrow input that is wrong is not seen in a build: the build passes, and the app is another one. So crosshull is
// held against plain `dotnet publish` of the whole checkout, in the same SDK image: both fail, or both make the same
// files. Package judge, below this one, runs the two.
//
// Contract: everything here is a function of its arguments. [Generate] and [Edit] draw from the numbers that they are
// given and nothing else, so a text such as "17 -edits 2" is all that one needs to see a difference again.
//
// # Where things are
//
//	recipe.go     what a repository is made from, as text
//	tree.go       files, in memory and in a folder
//	repository.go a repository, and how it is published
//	generate.go   projects and how they refer to each other
//	features_*.go what repositories have at random, each a function of its own
//	edit.go       what people do to a repository between two builds
//	compare.go    what differs between two published folders, and what may
//	strings.go    what an assembly says, to tell how two differ
package differential
