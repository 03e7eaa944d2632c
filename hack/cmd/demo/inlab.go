package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/crosshull/crosshull/hack/lab"
	"github.com/crosshull/crosshull/hack/lab/run"
)

const port = 8088 // of the container, which shares the machine's network

// inLab is the lab: its buildkitd and its registry. Containers run under runc, and on an emulated machine.
type inLab struct {
	lab    *lab.Lab
	pinned string // what was built, by its digest
}

func (p *inLab) frontend(ctx context.Context) error { return p.lab.PushFrontend(ctx, os.Stdout) }

func (p *inLab) build(ctx context.Context, dir string) (v1.ImageIndex, string, error) {
	ref := p.lab.Registry() + "/aspnetapp"
	err := command(ctx, dir, p.lab.Env(), p.lab.Bin("docker"), "buildx", "build", "-f", "crosshull.yaml",
		"--platform", platforms, "-t", ref, "--push", ".")
	if err != nil {
		return nil, "", err
	}
	parsed, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		return nil, "", err
	}
	index, err := remote.Index(parsed, remote.WithContext(ctx))
	if err != nil {
		return nil, "", fmt.Errorf("get %s: %w", ref, err)
	}
	digest, err := index.Digest()
	if err != nil {
		return nil, "", err
	}
	p.pinned = ref + "@" + digest.String()
	return index, ref, nil
}

func (p *inLab) run(ctx context.Context, _ string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	heading("Run the image for linux/amd64 under runc, and get its page")
	res, err := run.Container(ctx, p.lab.Dir(), run.Spec{
		Ref: p.pinned, Port: port, Env: []string{fmt.Sprintf("ASPNETCORE_HTTP_PORTS=%d", port)},
	})
	if err != nil {
		return err
	}
	printPage(res.Body)
	heading("Run the image for linux/arm64 on an emulated arm64 machine, and get its page")
	res, err = run.Machine(ctx, p.lab.Dir(), run.Spec{Ref: p.pinned, Port: 8080})
	if err != nil {
		return err
	}
	printPage(res.Body)
	return nil
}

func (p *inLab) left() string {
	return fmt.Sprintf(`The lab is left up. To look around:
  skopeo inspect --tls-verify=false docker://%s
  curl http://%s/v2/aspnetapp/tags/list
make down ends it.`, p.pinned, p.lab.Registry())
}
