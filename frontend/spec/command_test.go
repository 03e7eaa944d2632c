package spec

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/platforms"
)

func TestVariablesOfCommands(t *testing.T) {
	for _, tc := range []struct {
		line           string
		expands, names bool
	}{
		{"echo $RID", true, true}, {`echo "${RID}"`, true, true}, {"${RID:-x}", true, true}, {"RID=$RID", true, true},
		{"$RIDE ${RIDE}", false, false}, {"$RIDE $RID", true, true}, {"RID", false, true}, {"xRID RID_ ", false, false},
		{"$$RID", true, true}, {"", false, false}, {"./x-RID.sh", false, true},
	} {
		if got := Expands(tc.line, "RID"); got != tc.expands {
			t.Errorf("%q expands RID: %v", tc.line, got)
		}
		if got := Names(tc.line, "RID"); got != tc.names {
			t.Errorf("%q names RID: %v", tc.line, got)
		}
	}
}

// An argument without a name is a mistake. Commands are still searched for the names of arguments.
func TestArgWithoutName(t *testing.T) {
	done := make(chan error, 1)
	go func() {
		_, err := Parse([]byte("args: {'': x}\npublish: {before: [npm ci]}\n"), nil)
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), `line 1: args: name ""`) {
			t.Errorf("it says %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it does not end")
	}
}

// A command gets the build arguments that its line names, and their values do not become part of the line.
func TestArgsOf(t *testing.T) {
	text := "args: {VERSION: '1', OTHER: x, TARGETARCH: , TARGETOS: mine}\n" +
		"publish:\n  after:\n    - 'echo $VERSION ${TARGETARCH} $TARGETOS ${HOME} $${X}'\n"
	s, err := Parse([]byte(text), map[string]string{"VERSION": `2"; rm`})
	if err != nil {
		t.Fatal(err)
	}
	c := s.Publish.After[0]
	if c.Run != "echo $VERSION ${TARGETARCH} $TARGETOS ${HOME} $${X}" {
		t.Errorf("the line is %q", c.Run)
	}
	if got := s.ArgsOf(c); !maps.Equal(got, map[string]string{"VERSION": `2"; rm`, "TARGETOS": "mine"}) {
		t.Errorf("arguments are %q", got)
	}
	if got := c.PlatformVars(); !slices.Equal(got, []string{"TARGETARCH", "TARGETOS"}) {
		t.Errorf("variables of the platform are %q", got)
	}
	if !s.Uses("VERSION") || s.Uses("OTHER") {
		t.Error("the arguments that a command names count as used, and no others")
	}
	if other, err := s.For(platforms.MustParse("linux/arm64")); err != nil || other != s {
		t.Errorf("the spec differs by platform: %v", err)
	}
}

func TestCommandMistakes(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"publish: {before: ['echo $RID']}", "publish.before.0 uses $RID, but it runs once for all platforms"},
		{"publish: {before: [a, {run: 'echo ${PUBLISH_DIR}'}]}", "publish.before.1 uses $PUBLISH_DIR, but"},
		{"apps: {a: {publish: {before: ['$TARGETARCH']}}}", "apps.a.publish.before.0 uses $TARGETARCH, but"},
		{"args: {TARGETARCH: x}\npublish: {before: ['$TARGETARCH']}", ""},
		{"publish: {after: ['$RID $PUBLISH_DIR']}", ""},
		{"publish: {before: ['']}", "a command needs the key run"},
		{"publish: {before: [{inputs: [a]}]}", "a command needs the key run"},
		{"publish: {before: npm ci}", "must be a list"},
		{"publish: {before: [{run: a, network: lan}]}", "must be one of default, none and host"},
		{"publish: {before: [{run: a, cache: {npm: root}}]}", "must be an absolute path, below /"},
		{"publish: {before: [{run: a, cache: {npm: /source/}}]}", "the step has other files there"},
		{"publish: {before: [{run: a, cache: {npm: /a/..}}]}", "name a folder below /"},
		{"publish: {before: [{run: a, cache: {A/b: /x}}]}", "must be the name of a cache"},
		{"publish: {tools: [{image: a}]}", "an entry of publish.tools needs paths"},
		{"publish: {tools: [{paths: [/a]}]}", "an entry of publish.tools needs an image"},
		{"publish: {tools: [{image: a, paths: [a]}]}", "must be an absolute path, below /"},
	} {
		_, err := Parse([]byte(tc.text), nil)
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: got %v, want %q", tc.text, err, tc.want)
		}
	}
}
