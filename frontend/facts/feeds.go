package facts

import (
	"fmt"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// checkFeedsOfSpec is checkFeeds before MSBuild has said which projects there are, as MSBuild needs the feeds, too. It
// finds nothing if NuGet may read other files for some of them.
func checkFeedsOfSpec(req *request.Request, files dotnet.Files) error {
	if len(req.Spec.NuGet.Feeds) == 0 || !dotnet.ReadNuGetConfigs(files).Certain(req.Spec.Project) {
		return nil
	}
	return checkFeeds(req, files, req.Spec.Project)
}

// checkFeeds refuses a feed of the spec that NuGet would never ask for one of projects, or would ask without its
// credentials.
func checkFeeds(req *request.Request, files dotnet.Files, projects ...string) error {
	if len(req.Spec.NuGet.Feeds) == 0 {
		return nil
	}
	configs := dotnet.ReadNuGetConfigs(files)
	for i, f := range req.Spec.NuGet.Feeds {
		for _, project := range projects {
			is, file, line := configs.OtherCase(f.Name, project)
			if f.PasswordSecret != "" && is != "" {
				err := req.At(fmt.Sprintf("nuget.feeds.%d.name", i), fmt.Errorf("NuGet would ask feed %s without credentials, "+
					"because %s:%d spells the name %s: use that spelling", f.Name, file, line, is))
				return gateway.AtLine(err, file, files[file], line)
			}
			if lost := configs.Lost(dotnet.Feed(f), project); lost != nil {
				err := req.At(fmt.Sprintf("nuget.feeds.%d.source", i), fmt.Errorf("NuGet would never ask feed %s: %s:%d %s",
					f.Name, lost.File, lost.Line, lost.Why))
				return gateway.AtLine(err, lost.File, files[lost.File], lost.Line)
			}
		}
	}
	return nil
}

// restored are the projects that a restore of what is described restores.
func restored(descs []*dotnet.Description) []string {
	var projects []string
	for _, desc := range descs {
		if desc.App == nil {
			continue
		}
		for _, n := range desc.App.Closure {
			projects = append(projects, n.Path)
		}
	}
	return projects
}

// checkHidden refuses an SDK image with a nuget.config in the place where restore has that of the spec's feeds: NuGet
// would read only one of the two.
func checkHidden(req *request.Request, hidden string) error {
	if hidden == "" || len(req.Spec.NuGet.Feeds) == 0 {
		return nil
	}
	return req.At("nuget.feeds", fmt.Errorf("NuGet would not read %s of the SDK image, because it reads these feeds in "+
		"that place: in the image, move the file to ~/.nuget/NuGet/NuGet.Config", hidden))
}
