// Package faults builds images while something fails, and looks whether all is right after it.
//
// A [Trial] is one build with one fault: a registry, a base, a feed, a name server or a mirror of OS packages that
// answers wrongly, a client or a buildkitd that is killed, a clock that jumps, a full disk, a context that changes.
// Whatever the build says, after it
//
//   - the tag is that of the image before, or of the whole new image: its index, manifests, configs and layers are
//     there;
//   - if the build failed, its last line is an error that names what failed;
//   - the next build, without a fault, passes and makes the same bits as a builder that saw no fault;
//   - no container of a build is left.
//
// One trial meets no fault but those of its spec, which is made at random: two builds of it do the same.
//
// The tests try each fault once. Command faults tries them for hours, with other numbers at each turn, and prints the
// table that docs/reliability.md shows.
package faults
