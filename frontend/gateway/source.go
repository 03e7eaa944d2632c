package gateway

import (
	"path"
	"strings"

	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"

	"github.com/crosshull/crosshull/llb/dotnet"
)

// AtLine makes err point at a line of a file of the context: buildx shows the lines around it. Places that err has
// already come before it.
func AtLine(err error, name string, file []byte, line int) error {
	at := &pb.Position{Line: int32(line)}
	return errdefs.WithSource(err, &errdefs.Source{
		Info:   SourceInfo(name, around(file, line)),
		Ranges: []*pb.Range{{Start: at, End: at}},
	})
}

// SourceInfo is a file of the context as BuildKit's type. It has no credentials of a nuget.config.
func SourceInfo(name string, file []byte) *pb.SourceInfo {
	if dotnet.IsNuGetConfig(name) {
		_, file = dotnet.Credentials(file)
	}
	return &pb.SourceInfo{Data: Excerpt(file), Filename: name, Language: language(name)}
}

func language(name string) string {
	switch path.Ext(name) {
	case ".yaml", ".yml":
		return "YAML"
	case ".json", ".slnf":
		return "JSON"
	}
	return "XML"
}

// largest is how much of a file an error has.
const largest = 64 << 10

// around is a file with the lines around one of them; without the others if the file is large, as the error has to fit
// into the header of an answer of gRPC.
func around(file []byte, line int) []byte {
	const near = 10
	if len(file) <= largest {
		return file
	}
	lines := strings.SplitN(string(file), "\n", line+near+1)
	lines = lines[:min(len(lines), line+near)]
	for i := range min(len(lines), line-near) {
		lines[i] = ""
	}
	return []byte(strings.Join(lines, "\n"))
}

// At makes err point at the place of a diagnostic, if files have it.
func At(err error, d dotnet.Diagnostic, files dotnet.Files) error {
	if file, ok := files[d.File]; ok && d.Line > 0 {
		return AtLine(err, d.File, file, d.Line)
	}
	return err
}
