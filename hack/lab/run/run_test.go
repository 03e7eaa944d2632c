package run

import (
	"encoding/base64"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// image makes a root folder with these files; a mode of 0 is a folder.
func image(t *testing.T, files map[string]os.FileMode, content map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, mode := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if mode == 0 {
			err = os.MkdirAll(file, 0o755)
		} else {
			err = os.WriteFile(file, []byte(content[name]), mode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func imageWithUsers(t *testing.T) string {
	t.Helper()
	return image(t, map[string]os.FileMode{"etc/passwd": 0o644, "etc/group": 0o644}, map[string]string{
		"etc/passwd": "root:x:0:0:root:/root:/bin/sh\nbroken\napp:x:1654:1655::/home/app:/bin/sh\n",
		"etc/group":  "root:x:0:\nstaff:x:50:\napp:x:1655:\n",
	})
}

// defaults are what every process has in its environment, and more.
func defaults(home string, more ...string) []string {
	return append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + home}, more...)
}

func TestNewProcess(t *testing.T) {
	root := imageWithUsers(t)
	for _, tt := range []struct {
		name string
		spec Spec
		cfg  v1.Config
		want *process
		err  string
	}{
		{
			name: "the image's own",
			cfg: v1.Config{Entrypoint: []string{"/app/run", "-a"}, Cmd: []string{"b"}, WorkingDir: "/app", Env: []string{"A=1"},
				User: "app"},
			want: &process{args: []string{"/app/run", "-a", "b"}, env: defaults("/home/app", "A=1"), dir: "/app", uid: 1654,
				gid: 1655},
		},
		{
			name: "arguments in the place of cmd",
			spec: Spec{Args: []string{"c", "d"}, Env: []string{"A=2"}},
			cfg:  v1.Config{Entrypoint: []string{"/run"}, Cmd: []string{"b"}, Env: []string{"A=1"}},
			want: &process{args: []string{"/run", "c", "d"}, env: defaults("/root", "A=2"), dir: "/"},
		},
		{
			name: "no arguments at all",
			spec: Spec{Args: []string{}},
			cfg:  v1.Config{Entrypoint: []string{"/run"}, Cmd: []string{"b"}},
			want: &process{args: []string{"/run"}, env: defaults("/root"), dir: "/"},
		},
		{
			name: "cmd alone",
			cfg:  v1.Config{Cmd: []string{"/bin/bash"}},
			want: &process{args: []string{"/bin/bash"}, env: defaults("/root"), dir: "/"},
		},
		{
			name: "own path and home",
			spec: Spec{Env: []string{"HOME=/b"}},
			cfg:  v1.Config{Cmd: []string{"x"}, Env: []string{"HOME=/a", "PATH=/p"}, User: "7"},
			want: &process{args: []string{"x"}, env: []string{"PATH=/p", "HOME=/b"}, dir: "/", uid: 7},
		},
		{
			name: "a user without an entry",
			cfg:  v1.Config{Cmd: []string{"x"}, User: "7:8"},
			want: &process{args: []string{"x"}, env: defaults("/"), dir: "/", uid: 7, gid: 8},
		},
		{name: "no command", spec: Spec{Ref: "host/app:1"}, err: "host/app:1 has no command"},
		{name: "no such user", cfg: v1.Config{Cmd: []string{"x"}, User: "nobody"}, err: `the image has no user "nobody"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := newProcess(tt.spec, tt.cfg, root)
			if message(err) != tt.err {
				t.Fatalf("error %q, want %q", message(err), tt.err)
			}
			if err == nil && !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// The configuration's own list must not change under the next process.
func TestNewProcessKeepsConfig(t *testing.T) {
	root := t.TempDir()
	entrypoint := append(make([]string, 0, 4), "/run")
	cfg := v1.Config{Entrypoint: entrypoint}
	first, err := newProcess(Spec{Args: []string{"1"}}, cfg, root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newProcess(Spec{Args: []string{"2"}}, cfg, root); err != nil {
		t.Fatal(err)
	}
	if first.args[1] != "1" {
		t.Errorf("the second process changed the first: %q", first.args)
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestMergeEnv(t *testing.T) {
	for _, tt := range []struct {
		name             string
		base, over, want []string
	}{
		{"nothing", nil, nil, nil},
		{"base", []string{"A=1", "B=2"}, nil, []string{"A=1", "B=2"}},
		{"over", nil, []string{"A=1"}, []string{"A=1"}},
		{"in its place", []string{"A=1", "B=2"}, []string{"A=3", "C=4"}, []string{"A=3", "B=2", "C=4"}},
		{"twice", []string{"A=1"}, []string{"A=2", "A=3"}, []string{"A=3"}},
		{"value with =", []string{"A=x=1"}, []string{"A=x=2"}, []string{"A=x=2"}},
		{"to empty", []string{"A=1"}, []string{"A="}, []string{"A="}},
		{"names differ by case", []string{"a=1"}, []string{"A=2"}, []string{"a=1", "A=2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base := append([]string(nil), tt.base...)
			if got := mergeEnv(tt.base, tt.over); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if !reflect.DeepEqual(tt.base, base) {
				t.Errorf("base became %q", tt.base)
			}
		})
	}
}

func TestLookupUser(t *testing.T) {
	full, none := imageWithUsers(t), t.TempDir()
	for _, tt := range []struct {
		user, root string
		uid, gid   int
		err        string
	}{
		{user: "", root: full},
		{user: "root", root: full},
		{user: "app", root: full, uid: 1654, gid: 1655},
		{user: "1654", root: full, uid: 1654, gid: 1655},
		{user: "1000", root: full, uid: 1000},
		{user: "app:staff", root: full, uid: 1654, gid: 50},
		{user: "app:7", root: full, uid: 1654, gid: 7},
		{user: "1000:staff", root: full, uid: 1000, gid: 50},
		{user: "1000:1001", root: full, uid: 1000, gid: 1001},
		{user: "app:", root: full, uid: 1654, gid: 1655},
		{user: ":staff", root: full, gid: 50},
		{user: "nobody", root: full, err: `the image has no user "nobody"`},
		{user: "broken", root: full, err: `the image has no user "broken"`},
		{user: "app:nogroup", root: full, err: `the image has no group "nogroup"`},

		{user: "", root: none},
		{user: "1654", root: none, uid: 1654},
		{user: "1654:50", root: none, uid: 1654, gid: 50},
		{user: "root", root: none, err: `the image has no user "root"`},
		{user: "0:root", root: none, err: `the image has no group "root"`},
	} {
		name := tt.user
		if tt.root == none {
			name += " without passwd"
		}
		t.Run(name, func(t *testing.T) {
			uid, gid, err := lookupUser(tt.user, tt.root)
			if message(err) != tt.err {
				t.Fatalf("error %q, want %q", message(err), tt.err)
			}
			if err == nil && (uid != tt.uid || gid != tt.gid) {
				t.Errorf("got %d:%d, want %d:%d", uid, gid, tt.uid, tt.gid)
			}
		})
	}
}

func TestMakeKnown(t *testing.T) {
	for _, tt := range []struct {
		name, root string
		uid        int
		home       string
		changed    bool
	}{
		{"known", imageWithUsers(t), 1654, "/home/app", false},
		{"unknown", imageWithUsers(t), 4321, "/", true},
		{"no passwd", t.TempDir(), 4321, "/", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(tt.root, "etc/passwd")
			before, _ := os.ReadFile(file)
			if err := makeKnown(tt.uid, 50, tt.root); err != nil {
				t.Fatal(err)
			}
			after, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if changed := string(after) != string(before); changed != tt.changed {
				t.Errorf("passwd changed: %t, want %t:\n%s", changed, tt.changed, after)
			}
			if !strings.HasPrefix(string(after), string(before)) {
				t.Errorf("an entry was lost:\n%s", after)
			}
			home, known, err := homeOf(tt.uid, tt.root)
			if err != nil || !known || home != tt.home {
				t.Errorf("home %q, known %t, error %v, want %q", home, known, err, tt.home)
			}
		})
	}
}

func TestRuntimeSpec(t *testing.T) {
	for _, tt := range []struct {
		name         string
		uid          int
		capabilities bool
	}{{"root", 0, true}, {"app", 1654, false}} {
		t.Run(tt.name, func(t *testing.T) {
			dt, err := json.Marshal(runtimeSpec(&process{args: []string{"/run", "a b"}, env: []string{"A=1"}, dir: "/app",
				uid: tt.uid, gid: 7}))
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				OCIVersion string `json:"ociVersion"`
				Process    struct {
					Args, Env       []string
					Cwd             string
					User            struct{ UID, GID int }
					NoNewPrivileges bool
					Capabilities    map[string][]string
				}
				Root   struct{ Path string }
				Mounts []struct{ Destination, Type string }
				Linux  struct{ Namespaces []struct{ Type string } }
			}
			if err := json.Unmarshal(dt, &got); err != nil {
				t.Fatal(err)
			}
			p := got.Process
			if got.OCIVersion == "" || got.Root.Path != "rootfs" || p.Cwd != "/app" || p.User.UID != tt.uid || p.User.GID != 7 ||
				!reflect.DeepEqual(p.Args, []string{"/run", "a b"}) || !reflect.DeepEqual(p.Env, []string{"A=1"}) {
				t.Errorf("got %s", dt)
			}
			if !p.NoNewPrivileges {
				t.Error("the process may gain privileges")
			}
			for _, set := range []string{"bounding", "effective", "permitted"} {
				if got := len(p.Capabilities[set]) > 0; got != tt.capabilities {
					t.Errorf("%s capabilities: %q", set, p.Capabilities[set])
				}
			}
			for _, c := range p.Capabilities["bounding"] {
				if c == "CAP_SYS_ADMIN" || c == "CAP_NET_ADMIN" {
					t.Errorf("the process has %s", c)
				}
			}
			var namespaces, mounts []string
			for _, n := range got.Linux.Namespaces {
				namespaces = append(namespaces, n.Type)
			}
			for _, m := range got.Mounts {
				mounts = append(mounts, m.Destination)
			}
			// No network of its own: the test asks the app on the host's loopback.
			if want := []string{"pid", "ipc", "uts", "mount"}; !reflect.DeepEqual(namespaces, want) {
				t.Errorf("namespaces %q, want %q", namespaces, want)
			}
			if want := []string{"/proc", "/dev", "/dev/shm"}; !reflect.DeepEqual(mounts, want) {
				t.Errorf("mounts %q, want %q", mounts, want)
			}
		})
	}
}

var awkward = []string{"", "plain", "a b", "  ", "it's", "''", "'", `"$HOME" $(id) ` + "`id`", `back\slash\`,
	"new\nline", "tab\t", "*", "~", "a;b&c|d>e", "!", "#", "%s %d", "-n", "ünï"}

func TestQuote(t *testing.T) {
	for _, s := range awkward {
		out, err := exec.Command("sh", "-c", "printf %s "+quote(s)).Output()
		if err != nil {
			t.Errorf("%q: %v", s, err)
		}
		if string(out) != s {
			t.Errorf("the shell reads %q as %q", s, out)
		}
	}
}

// The line that starts the app must give it each word as it is, through the shell.
func TestInitScriptStartsApp(t *testing.T) {
	p := &process{args: append([]string{"/my app/it's"}, awkward...), env: []string{"A=it's $HOME", "B="},
		dir: "/it's a folder", uid: 1654, gid: 50}
	script := initScript(Spec{}, p, 0)
	const start, end = "$b env -i ", " > " + labDir + "/output 2>&1 &"
	_, line, ok := strings.Cut(script, start)
	line, _, ok2 := strings.Cut(line, end)
	if !ok || !ok2 {
		t.Fatalf("no line starts the app:\n%s", script)
	}
	got := words(t, line)
	want := append([]string{"A=it's $HOME", "B=", labDir + "/busybox", "start-stop-daemon", "-S", "-q", "-c", "1654:50",
		"-x", "/my app/it's", "--"}, awkward...)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	_, line, _ = strings.Cut(script, "; cd ")
	line, _, _ = strings.Cut(line, "\n")
	if got := words(t, line); !reflect.DeepEqual(got, []string{p.dir}) {
		t.Errorf("it goes to %q, want %q", got, p.dir)
	}
}

// words are what the shell makes of a line.
func words(t *testing.T, line string) []string {
	t.Helper()
	out, err := exec.Command("sh", "-c", `printf '%s\0' `+line).Output()
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

func TestInitScript(t *testing.T) {
	p := &process{args: []string{"/run"}, dir: "/"}
	for _, tt := range []struct {
		name string
		spec Spec
		url  string
	}{
		{name: "no port"},
		{name: "port", spec: Spec{Port: 8080}, url: "'http://127.0.0.1:8080/'"},
		{name: "path", spec: Spec{Port: 80, Path: "/a?b=c&d"}, url: "'http://127.0.0.1:80/a?b=c&d'"},
		{name: "path without slash", spec: Spec{Port: 80, Path: "it's"}, url: `'http://127.0.0.1:80/it'\''s'`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			script := initScript(tt.spec, p, 0)
			check := exec.Command("sh", "-n")
			check.Stdin = strings.NewReader(script)
			if out, err := check.CombinedOutput(); err != nil {
				t.Errorf("not a shell script: %v\n%s\n%s", err, out, script)
			}
			if !strings.HasPrefix(script, "#!"+labDir+"/busybox sh\n") ||
				!strings.HasSuffix(script, "\necho '"+endReport+"'\n") {
				t.Errorf("got:\n%s", script)
			}
			if asks := strings.Contains(script, "wget"); asks != (tt.url != "") || !strings.Contains(script, tt.url) {
				t.Errorf("want it to ask %q:\n%s", tt.url, script)
			}
		})
	}
}

// With a deadline the app is killed in time for a report.
func TestInitScriptLimit(t *testing.T) {
	p := &process{args: []string{"/run"}, dir: "/"}
	const kill = "$b sleep 90; $b kill -KILL $pid"
	if script := initScript(Spec{}, p, 90*time.Second); !strings.Contains(script, kill) {
		t.Errorf("it does not kill the app:\n%s", script)
	}
	if script := initScript(Spec{}, p, 0); strings.Contains(script, "kill") {
		t.Errorf("it kills the app without a limit:\n%s", script)
	}
}

// What the script's last part prints is what parseConsole reads.
func TestReportRoundTrip(t *testing.T) {
	long := strings.Repeat("a line of output\n", 100)
	for _, tt := range []struct {
		name         string
		port         int
		output, body string
		answered     bool
		exit         int
	}{
		{name: "no port", output: "hello\n", exit: 3},
		{name: "port", port: 8080, output: long, body: "answer: ünï\n", answered: true},
		{name: "empty answer", port: 8080, output: "hello\n", answered: true},
		{name: "no answer", port: 8080, output: "it crashed\n", exit: 134},
		{name: "nothing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			script := initScript(Spec{Port: tt.port}, &process{args: []string{"/run"}, dir: "/"}, 0)
			_, tail, ok := strings.Cut(script, "wait $pid; code=$?\n")
			if !ok {
				t.Fatal(script)
			}
			tail = strings.ReplaceAll(tail, labDir, dir)
			if strings.Contains(script, ": > "+labDir+"/body\n") { // the part before made it
				write(t, filepath.Join(dir, "body"), tt.body)
			}
			write(t, filepath.Join(dir, "output"), tt.output)
			before := "code=$1; answered=\n"
			if tt.answered {
				before = "code=$1; answered=yes\n"
			}
			cmd := exec.Command("sh", "-c", before+tail, "sh", strconv.Itoa(tt.exit))
			console, err := cmd.CombinedOutput() // without b the host's base64 runs
			if err != nil {
				t.Fatalf("%v\n%s", err, console)
			}
			got, answered, err := parseConsole(string(console))
			if err != nil {
				t.Fatalf("%v\n%s", err, console)
			}
			if want := (Result{Output: tt.output, Body: tt.body, ExitCode: tt.exit}); *got != want || answered != tt.answered {
				t.Errorf("got %+v, answered %t, want %+v, %t", *got, answered, want, tt.answered)
			}
		})
	}
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestParseConsole(t *testing.T) {
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	endsInBody := "\x6e\x87\x72" // as base64: body
	if b64(endsInBody) != "body" {
		t.Fatal(b64(endsInBody))
	}
	const noReport = "the machine ended without a report"
	for _, tt := range []struct {
		name, console string
		want          Result
		err           string
	}{
		{
			name: "output and body",
			console: "\n=== crosshull report\nexit 0\noutput:\n" + b64("out\n") + "\nbody:\n" + b64("answer") +
				"\n=== crosshull end\n",
			want: Result{Output: "out\n", Body: "answer"},
		},
		{
			name:    "no body",
			console: "=== crosshull report\nexit 134\noutput:\n" + b64("out") + "\n=== crosshull end\n",
			want:    Result{Output: "out", ExitCode: 134},
		},
		{
			name:    "empty",
			console: "=== crosshull report\nexit 1\noutput:\nbody:\n=== crosshull end\n",
			want:    Result{ExitCode: 1},
		},
		{
			name: "carriage returns, base64 over lines",
			console: "boot\r\n\r\n=== crosshull report\r\nexit 0\r\noutput:\r\n" + b64("abc") + "\r\n" + b64("def") +
				"\r\nbody:\r\n" + b64("x") + "\r\n=== crosshull end\r\n",
			want: Result{Output: "abcdef", Body: "x"},
		},
		{
			name: "kernel messages around, between and within lines",
			console: "[    0.000000] Booting Linux\r\n[    3.1] EXT4: no\r\n=== crosshull report\r\n" +
				"exit 0[   61.234567] random: crng init done\r\n\r\noutput:\r\n" +
				"[   61.300000] warning: it's = odd\r\n" + "YW[   61.300001] hm\r\nJj" +
				"\r\n=== crosshull end\r\n[   62.000000] reboot: Power down\r\n",
			want: Result{Output: "abc"},
		},
		{
			name: "output that looks like a title",
			console: "=== crosshull report\nexit 0\noutput:\n" + b64(endsInBody) + "\nbody:\n" + b64("x") +
				"\n=== crosshull end\n",
			want: Result{Output: endsInBody, Body: "x"},
		},
		{name: "nothing", err: noReport},
		{name: "panic", console: "[    1.000000] Kernel panic - not syncing: No working init found.\n", err: noReport},
		{name: "cut off", console: "=== crosshull report\nexit 0\noutput:\n" + b64("out"), err: noReport},
		{name: "no exit code", console: "=== crosshull report\nexit \noutput:\n=== crosshull end\n", err: noReport},
		{name: "bad base64", console: "=== crosshull report\nexit 0\noutput:\nabc\n=== crosshull end\n",
			err: "read the report: illegal base64 data"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, answered, err := parseConsole(tt.console)
			if tt.err != "" {
				if err == nil || !strings.HasPrefix(err.Error(), tt.err) {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if wantAnswer := strings.Contains(tt.console, "body:"); *got != tt.want || answered != wantAnswer {
				t.Errorf("got %+v, answered %t, want %+v, %t", *got, answered, tt.want, wantAnswer)
			}
		})
	}
}

func TestFindProgram(t *testing.T) {
	root := image(t, map[string]os.FileMode{
		"usr/bin/dotnet": 0o755, "bin/dotnet": 0o755, "opt/dotnet": 0, "etc/dotnet": 0o644, "app/tool": 0o755,
	}, nil)
	// A link that leads nowhere on this machine, but somewhere in the image.
	if err := os.Symlink("/not/on/this/machine", filepath.Join(root, "usr/bin/link")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, program string
		env           []string
		want, err     string
	}{
		{name: "absolute", program: "/not/there", want: "/not/there"},
		{name: "relative", program: "./tool", want: "./tool"},
		{name: "first in PATH", program: "dotnet", env: []string{"A=1", "PATH=/none:/usr/bin:/bin"}, want: "/usr/bin/dotnet"},
		{name: "order of PATH", program: "dotnet", env: []string{"PATH=/bin:/usr/bin"}, want: "/bin/dotnet"},
		{name: "past what cannot run", program: "dotnet", env: []string{"PATH=/opt:/etc:/bin"}, want: "/bin/dotnet"},
		{name: "link", program: "link", env: []string{"PATH=/usr/bin"}, want: "/usr/bin/link"},
		{name: "empty part is the working folder", program: "tool", env: []string{"PATH=/bin:"}, want: "/app/tool"},
		{name: "missing", program: "sh", env: []string{"PATH=/usr/bin:/bin"}, err: "the image has no sh in its PATH"},
		{name: "no PATH", program: "dotnet", env: []string{"XPATH=/bin"}, err: "the image has no dotnet in its PATH"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &process{args: []string{tt.program, "arg"}, env: tt.env, dir: "/app"}
			err := p.findProgram(root)
			if message(err) != tt.err {
				t.Fatalf("error %q, want %q", message(err), tt.err)
			}
			if err == nil && !reflect.DeepEqual(p.args, []string{tt.want, "arg"}) {
				t.Errorf("got %q, want %q", p.args, tt.want)
			}
		})
	}
}

// Whoever has the port would answer for the app.
func TestFreePort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := checkFree(port); err == nil {
		t.Errorf("port %d is taken, and nobody says so", port)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := checkFree(port); err != nil {
		t.Error(err)
	}
}
