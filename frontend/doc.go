// Package frontend is crosshull's side of BuildKit's gateway.
//
// Contract: [Build] is a client.BuildFunc. It runs the stages, each of which is a package below. A stage takes what the
// stages before it gave, and gives a value that is complete and never changed.
//
//	request   what was asked for: options, flags, the spec, the target
//	tree      what is in the context
//	facts     the SDK, and what MSBuild says of the projects
//	plan      every decision
//	graph     the steps of the plan, as LLB
//	result    images, files, attestations, the report
//
// Only package gateway calls BuildKit's client. Nothing is printed: a frontend speaks by vertex names, warnings and
// errors, and every error about the spec points at its line.
package frontend
