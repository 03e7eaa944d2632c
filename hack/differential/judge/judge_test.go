package judge

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/crosshull/crosshull/hack/differential"
	"github.com/crosshull/crosshull/hack/lab"
)

// theLab is up while tests run. It is left so: bringing it up again takes a second.
var theLab *lab.Lab

func TestMain(m *testing.M) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	var err error
	if theLab, err = lab.New(); err == nil {
		err = theLab.Up(ctx, os.Stderr)
	}
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "judge: the lab is not there:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// recipes are what the tests publish. The first twelve are as they come. Each of the others has shown a difference,
// and says which.
var recipes = []struct{ recipe, shown string }{
	{"-seed 1 -edits 1,2", ""},
	{"-seed 14 -edits 1,2", ""},
	{"-seed 3 -edits 1,2", ""},
	{"-seed 4 -edits 1,2", ""},
	{"-seed 5 -edits 1,2", ""},
	{"-seed 6 -edits 1,2", ""},
	{"-seed 7 -edits 1,2", ""},
	{"-seed 8 -edits 1,2", ""},
	{"-seed 9 -edits 1,2", ""},
	{"-seed 10 -edits 1,2", ""},
	{"-seed 11 -edits 1,2", ""},
	{"-seed 12 -edits 1,2", ""},
	{"-seed 3 -projects 2 -features exec-of-script -mode portable", "a script reads what no argument names"},
	{"-seed 3 -projects 2 -features list-in-target -mode portable", "a target counts files by a wildcard"},
	{"-seed 3 -projects 2 -features git-kept -mode portable", "the compiler reads .git and .gitignore"},
	{"-seed 1 -projects 3 -features condition-of-target,condition-of-task,condition-in-target,written-expression," +
		"order-of-targets -mode portable -edits 1", "conditions and expressions in targets look for files"},
	{"-seed 1 -projects 2 -features script-by-cd -mode portable", "a command changes its folder"},
	{"-seed 1 -projects 2 -features variable-of-exec -mode portable", "a variable of the shell names files"},
	{"-seed 1 -projects 2 -features property-of-exec -mode portable", "a command prints the name of a folder"},
	{"-seed 1 -projects 2 -features task-reads-beside -mode portable", "a task reads what lies beside its file"},
	{"-seed 1 -projects 2 -features after-restore,path-of-metadata,restless,star-in-name -mode portable -edits 1",
		"items after a restore, paths by metadata of the SDK, an evaluation that is never the same, a star in a name"},
	{"-seed 1 -projects 2 -features target-of-restore -mode portable", "a target of a restore reads a file"},
	{"-seed 1 -projects 3 -features author-in-bin,search-path -mode portable -edits 1",
		"files of the author lie in bin, and an assembly where nothing but a search path leads"},
	{"-seed 1 -projects 3 -features property-of-sdk,folder-of-copy -mode portable -edits 1",
		"a path has a property of the SDK, and a task copies a folder"},
	{"-seed 1 -projects 3 -features run-of-folder,run-of-output -mode portable -edits 1",
		"a command runs a project by its folder, or its assembly"},
	{"-seed 1 -projects 3 -features reference-by-target,chain-of-targets -mode portable -edits 1",
		"a target adds references, and one gets a path from others behind it"},
	{"-seed 1 -projects 3 -features output-among-sources -mode portable", "outputs go where sources are"},
	{"-seed 166", "launchers are nothing that the lock file of a library knows of"},
	{"-seed 189", "a project looks for a folder that is a link"},
	{"-seed 757", "a program that the app references has a launcher, too"},
	{"-seed 3052 -projects 2 -features odd-folders,root-app -mode portable", "a wildcard has a folder with ~ in its name"},
	{"-seed 1 -projects 2 -features file-to-publish,path-of-metadata -mode portable",
		"a path has metadata of items, of which the project adds one and the SDK the others"},
}

// What crosshull publishes is what plain publish makes of the whole checkout, at first and after each edit; and where
// that fails, crosshull fails.
func TestRecipes(t *testing.T) {
	t.Parallel()
	for _, tc := range recipes {
		t.Run(strings.ReplaceAll(strings.TrimPrefix(tc.recipe, "-"), " ", "_"), func(t *testing.T) {
			t.Parallel()
			recipe, err := differential.ParseRecipe(tc.recipe)
			if err != nil {
				t.Fatal(err)
			}
			j := &Judge{Addr: theLab.BuildkitAddr(), Work: t.TempDir()}
			report, err := j.Run(t.Context(), recipe)
			if err != nil {
				t.Fatal(err)
			}
			for i := range report.Steps {
				check(t, recipe, &report.Steps[i])
			}
		})
	}
}

func check(t *testing.T, recipe differential.Recipe, step *Step) {
	t.Helper()
	t.Logf("%s: plain %.1f s, crosshull %.1f s, edit %q", step.Kind(), step.Plain.Time.Seconds(),
		step.Ours.Time.Seconds(), step.Edit)
	if step.Agree() {
		return
	}
	t.Errorf("%s after %q; to see it: make soak ARGS=%q", step.Kind(), step.Edit, recipe)
	for _, d := range step.Differences {
		t.Error(d)
	}
	for _, o := range []Outcome{step.Plain, step.Ours} {
		if o.Err != nil {
			t.Errorf("%v\n%s", o.Err, o.Log)
		}
	}
}
