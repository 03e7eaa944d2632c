// Package frontend is crosshull's side of BuildKit's gateway: it reads the options and the spec, asks for images and
// for the description of the project, and assembles the result.
//
// Contract: [Build] is a client.BuildFunc. It decides; the graph is made by package llb, and options are parsed by
// dockerui, as for Dockerfiles. Nothing is printed: a frontend speaks by vertex names, warnings and errors, and every
// error about the spec points at its line.
package frontend
