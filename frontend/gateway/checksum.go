package gateway

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
	digest "github.com/opencontainers/go-digest"
)

// maxHashed is how many bytes of a file [Client.Checksum] reads at most.
const maxHashed = 1 << 30

// Checksum reads a file in the root of a state, and gives its checksum. BuildKit 0.12 has no other way to tell it.
func (c *Client) Checksum(ctx context.Context, st llb.State, name string) (digest.Digest, error) {
	ref, err := c.Evaluate(ctx, st)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	for offset := 0; ; {
		req := client.ReadRequest{Filename: name, Range: &client.FileRange{Offset: offset, Length: rangeSize}}
		dt, err := ref.ReadFile(ctx, req)
		if err != nil {
			return "", err
		}
		hash.Write(dt)
		if len(dt) < rangeSize {
			return digest.NewDigest(digest.SHA256, hash), nil
		}
		if offset += len(dt); offset >= maxHashed {
			return "", fmt.Errorf("it has more than %d MB: download it, and run sha256sum to get the checksum", maxHashed>>20)
		}
	}
}
