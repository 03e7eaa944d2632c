package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/moby/buildkit/client"
	digest "github.com/opencontainers/go-digest"
)

// trace is what a build did, by the progress that buildx reports.
type trace struct {
	steps, execs int
	frontend     float64 // seconds
}

var (
	// internal are vertices that BuildKit makes for itself, those that get images, and those whose names are crosshull's
	// summary: nothing of the build is run there.
	internal = regexp.MustCompile(
		`^\[[^\]]*\binternal\] |^\[summary\] |^\[auth\] |^resolve image config for |^docker-image://|^exporting ` +
			`|^importing |^\[[^\]]*\] FROM `,
	)
	// fileOps are what vertices of crosshull do that execute nothing. What is unknown counts as executed.
	fileOps = regexp.MustCompile(`^\[[^\]]*\] (copy |merge |solution of |output of |sources and |what |crosshull's )`)
	// instruction is a vertex of a Dockerfile.
	instruction = regexp.MustCompile(`^\[[^\]]* \d+/\d+\] `)
)

const (
	frontendImage  = "docker-image://"
	loadDefinition = "[internal] load build definition from "
	exportImage    = "exporting to image"
)

// parseTrace reads the output of --progress=rawjson, an object per line.
//
// A step is a vertex that was started, is not from the cache, and is none of BuildKit's own. One without inputs is
// started once to be given its key, and again if it runs. An exec is a RUN of a Dockerfile, or a step of crosshull
// that is not known to be a file operation by its name.
//
// The time in the frontend begins when the frontend's image is there, or, for the frontend that is part of BuildKit,
// when the file that it reads was loaded; it ends when the image is about to be exported. So it has in it the start of
// the frontend's container, reading the context, asking the registry for base and SDK, and every step. It means
// something where no step runs.
func parseTrace(rawjson []byte) (trace, error) {
	type vertex struct {
		client.Vertex
		latest *time.Time // start
		starts int
	}
	vertices := map[digest.Digest]*vertex{}
	var order []digest.Digest
	for line := range bytes.Lines(rawjson) {
		var st client.SolveStatus
		if json.Unmarshal(line, &st) != nil {
			continue // a warning of buildx in between
		}
		for _, v := range st.Vertexes {
			known := vertices[v.Digest]
			if known == nil {
				known = &vertex{Vertex: client.Vertex{Name: v.Name, Inputs: v.Inputs}}
				vertices[v.Digest] = known
				order = append(order, v.Digest)
			}
			if v.Started != nil && known.Started == nil {
				known.Started = v.Started
			}
			if v.Started != nil && (known.latest == nil || v.Started.After(*known.latest)) {
				known.latest = v.Started
				known.starts++
			}
			if v.Completed != nil {
				known.Completed = v.Completed
			}
			known.Cached = known.Cached || v.Cached
		}
	}
	var t trace
	var begin, end *time.Time
	for _, d := range order {
		v := vertices[d]
		if v.Started == nil {
			continue
		}
		switch {
		case strings.HasPrefix(v.Name, frontendImage), strings.HasPrefix(v.Name, loadDefinition) && begin == nil:
			begin = v.Completed
		case v.Name == exportImage:
			end = v.Started
		}
		if v.Cached || internal.MatchString(v.Name) || len(v.Inputs) == 0 && v.starts < 2 {
			continue
		}
		t.steps++
		if executes(v.Name) {
			t.execs++
		}
	}
	if begin == nil || end == nil {
		return t, fmt.Errorf("progress without %q or %q:\n%s", loadDefinition, exportImage, rawjson)
	}
	t.frontend = end.Sub(*begin).Seconds()
	return t, nil
}

func executes(name string) bool {
	if at := instruction.FindString(name); at != "" {
		return strings.HasPrefix(name[len(at):], "RUN ")
	}
	return !fileOps.MatchString(name)
}

// readable turns the output of --progress=rawjson into text for people: the log of the vertex that failed, and what is
// no JSON, which is where buildx says why.
func readable(rawjson []byte) string {
	var out strings.Builder
	logs := map[digest.Digest]*strings.Builder{}
	var failed []*client.Vertex
	for line := range bytes.Lines(rawjson) {
		var st client.SolveStatus
		if json.Unmarshal(line, &st) != nil {
			out.Write(line)
			continue
		}
		for _, l := range st.Logs {
			if logs[l.Vertex] == nil {
				logs[l.Vertex] = &strings.Builder{}
			}
			logs[l.Vertex].Write(l.Data)
		}
		for _, v := range st.Vertexes {
			if v.Error != "" {
				failed = append(failed, v)
			}
		}
	}
	for _, v := range failed {
		fmt.Fprintf(&out, "%s\n", v.Name)
		if log := logs[v.Digest]; log != nil {
			out.WriteString(log.String())
		}
		fmt.Fprintf(&out, "%s\n", v.Error)
	}
	return out.String()
}
