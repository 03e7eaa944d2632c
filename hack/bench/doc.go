// Package bench compares builds by crosshull with other ways to the same images, side by side on one machine.
//
// Contract: [Run] brings the lab up, does what the plan says, or the part of it that a [Filter] leaves, and returns a
// [Report]. Nothing but ratios of runs of the same round is ever compared: a round runs every contender once in every
// situation, one after the other, in an order that changes from round to round, on one buildkitd that has the images
// of the SDK and the bases already. A build that fails, or makes something else than was asked for, ends the run.
//
// # Where things are
//
//	plan.go        what is run: projects, modes, platforms, contenders, situations
//	goals.go       what is hoped for, and how what was measured compares
//	project.go     the projects, how a copy is written, which lines are edited; libraries.go and wwwroot.go make two
//	               of them
//	dockerfile.go  what contenders that build with BuildKit need in their copy
//	host.go        contenders that need no BuildKit
//	runner.go      rounds, situations, order; build.go, base.go and fresh.go what a situation does
//	measure.go     what is measured of a run; trace.go, proxy.go and image.go where it comes from
//	report.go      ratios; table.go, page.go and chart.go how they are shown
package bench
