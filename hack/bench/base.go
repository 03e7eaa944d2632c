package bench

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/crosshull/crosshull/hack/lab"
)

// moveBase makes a tag name images like those of another, with one more layer, which has a nonce in it: to who builds
// on it, the base has moved.
func moveBase(ctx context.Context, from, to, nonce string) error {
	layer, err := lab.FileLayer("etc/moved", 0o644, []byte(nonce+"\n"))
	if err != nil {
		return err
	}
	images, err := index(ctx, from)
	if err != nil {
		return err
	}
	moved := mutate.IndexMediaType(empty.Index, types.DockerManifestList)
	for _, img := range images {
		config, err := img.ConfigFile()
		if err != nil {
			return err
		}
		with, err := mutate.AppendLayers(img.Image, layer)
		if err != nil {
			return err
		}
		moved = mutate.AppendManifests(
			moved,
			mutate.IndexAddendum{Add: with, Descriptor: v1.Descriptor{Platform: config.Platform()}},
		)
	}
	return push(ctx, moved, to)
}

// copyImages copies images from one repository to another, so that their layers are there when others are pushed that
// have them too.
func copyImages(ctx context.Context, from, to string) error {
	images, err := index(ctx, from)
	if err != nil {
		return err
	}
	copied := mutate.IndexMediaType(empty.Index, types.DockerManifestList)
	for _, img := range images {
		copied = mutate.AppendManifests(copied, mutate.IndexAddendum{Add: img.Image})
	}
	return push(ctx, copied, to)
}

func push(ctx context.Context, idx v1.ImageIndex, to string) error {
	ref, err := name.ParseReference(to, name.Insecure)
	if err != nil {
		return err
	}
	if err := remote.WriteIndex(ref, idx, remote.WithContext(ctx)); err != nil {
		return fmt.Errorf("push %s: %w", to, err)
	}
	return nil
}
