// Package packages tests the program that installs OS packages, on small systems that the tests make: a database of
// dpkg, a few packages, and scripts. What the program makes for another architecture is held against what dpkg makes
// there with the scripts. The scripts are those of sh, so they do the same for any architecture.
package packages
