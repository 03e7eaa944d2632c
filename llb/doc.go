// Package llb makes the graph of a build: describe → restore → publish → layer → image. Commands of the spec can run
// before describe and after publish, tests run beside publish, and packages are installed on the base.
//
// Contract: everything here is pure. From a [Builder], which is a value, and MSBuild's answers about the project, it
// makes [llb.State]s and the configuration of an image. It resolves no image and reads no clock. Every exec runs on the
// build platform. A vertex gets no more of the target platform than it needs: a runtime identifier, say, and that only
// in modes that need one. So most vertices are the same, byte for byte, for every platform. BuildKit runs each of them
// once, and all images share its result.
package llb
