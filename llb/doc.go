// Package llb makes the graph of a build: describe → restore → publish → layer → image.
//
// Contract: everything here is pure. From a [Builder], which is a value, and MSBuild's answers about the project, it
// makes [llb.State]s and the configuration of an image. It resolves no image and reads no clock. Every exec runs on the
// build platform. Vertices that do not depend on the target platform are the same, byte for byte, for every platform,
// so BuildKit runs each once and all images share its result; only [Builder.Image] and [Config] know the target.
package llb
