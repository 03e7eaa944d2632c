package facts

import (
	"context"
	"fmt"
	"path"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Tests describes the tests. With a gate it describes the apps, too, so that both targets share the steps.
func (a *Asker) Tests(ctx context.Context) (*Facts, error) {
	if a.req.Spec.Tests.Gate {
		return a.Apps(ctx)
	}
	tests, answer, err := a.describe(ctx, a.testQuestions())
	if err != nil {
		return nil, err
	}
	return &Facts{Asker: a, Tests: tests, Answer: answer}, nil
}

// testQuestions are about the tests of the spec, which are built like a portable app. Of several frameworks the newest
// runs: an SDK need not have the runtimes of older ones.
func (a *Asker) testQuestions() []Question {
	var questions []Question
	for i, path := range a.req.Spec.Tests.Projects {
		p := dotnet.Project{
			Path: path, Test: true, Newest: true, Mode: new(dotnet.Portable), Inputs: a.Project.Inputs,
		}
		questions = append(questions, Question{p, fmt.Sprintf("tests.%d", i)})
	}
	return questions
}

// TestRun is how tests run, by the spec and by the global.json that applies to the build. The error is about a file of
// settings that the context does not have.
func (a *Asker) TestRun(tests spec.Tests) (run dotnet.TestRun, err error) {
	globalJSON := a.Tree.Files[path.Join(a.Steps.Folder, "global.json")]
	run = dotnet.TestRun{
		Filter: tests.Filter, Args: tests.Args, Platform: dotnet.TestingPlatform(globalJSON, a.SDK.Version()),
	}
	if tests.Settings != "" {
		run.Settings, err = a.Tree.File(tests.Settings)
	}
	return run, err
}
