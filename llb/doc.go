// Package llb is the graph of a build: describe → restore → publish → layer → image.
//
// Contract: pure. From a [Builder], which is a value, and what MSBuild said of the project, it gives [llb.State]s and
// an image configuration; it resolves nothing and reads no clock. Every exec runs on the build platform. Vertices that
// do not depend on the target platform are the same, byte for byte, for every platform, so BuildKit runs each once and
// all images share its result; only [Builder.Image] and [Config] know the target.
package llb
