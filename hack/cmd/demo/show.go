package main

import (
	"fmt"
	"io"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// show prints an index, its images with their layers and which of these they share, and the labels of the last image.
// It gives the digest of the index.
func show(w io.Writer, index v1.ImageIndex, name string) (string, error) {
	digest, err := index.Digest()
	if err != nil {
		return "", err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return "", err
	}
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	say("index %s@%s", name, digest)
	users := map[v1.Hash]int{}
	manifests := map[v1.Hash]*v1.Manifest{}
	var last v1.Image
	for _, desc := range manifest.Manifests {
		if desc.Platform == nil || desc.Platform.OS == "unknown" { // an attestation
			continue
		}
		if last, err = index.Image(desc.Digest); err != nil {
			return "", err
		}
		m, err := last.Manifest()
		if err != nil {
			return "", err
		}
		manifests[desc.Digest] = m
		for _, l := range m.Layers {
			users[l.Digest]++
		}
	}
	for _, desc := range manifest.Manifests {
		m, ok := manifests[desc.Digest]
		if !ok {
			continue
		}
		say("  %-14s %s", desc.Platform, desc.Digest)
		for _, l := range m.Layers {
			shared := ""
			if n := users[l.Digest]; n > 1 {
				shared = fmt.Sprintf("   the same in all %d images", n)
			}
			say("    layer %s %8.1f KB%s", l.Digest.String()[:19], float64(l.Size)/1000, shared)
		}
	}
	if last == nil {
		return "", fmt.Errorf("%s has no image", name)
	}
	config, err := last.ConfigFile()
	if err != nil {
		return "", err
	}
	say(
		"  entrypoint %q, user %s, ports %v",
		config.Config.Entrypoint,
		config.Config.User,
		slices.Sorted(maps.Keys(config.Config.ExposedPorts)),
	)
	say("  labels of the last:")
	for _, k := range slices.Sorted(maps.Keys(config.Config.Labels)) {
		say("    %s=%s", k, config.Config.Labels[k])
	}
	return digest.String(), nil
}
