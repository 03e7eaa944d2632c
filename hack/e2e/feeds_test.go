package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/crosshull/crosshull/hack/lab/feed"
)

// private is a NuGet feed that wants a password: the lab's own behind basic authentication, on a port of its own.
type private struct {
	*httptest.Server
	index string
}

// newPrivate starts a private feed. With tls its certificate is one that no machine trusts.
func newPrivate(t *testing.T, user, password string, tls bool) private {
	t.Helper()
	labFeed, err := url.Parse(theLab.FeedURL())
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: labFeed.Scheme, Host: labFeed.Host})
		r.Out.Host = r.In.Host // the feed's addresses are to be ours
		if r.In.TLS != nil {
			r.Out.Header.Set("X-Forwarded-Proto", "https")
		}
	}}
	p := private{Server: httptest.NewUnstartedServer(asks(user, password, proxy))}
	if tls {
		p.StartTLS()
	} else {
		p.Start()
	}
	t.Cleanup(p.Close)
	p.index = p.URL + labFeed.Path
	return p
}

// asks serves what h does to who knows the password.
func asks(user, password string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, ok := r.BasicAuth(); !ok || p != password || user != "" && u != user {
			w.Header().Set("WWW-Authenticate", `Basic realm="private"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// feedApp is an app with a package, in a repository whose nuget.config has one source: the feed.
func feedApp(t *testing.T, source, credentials string) string {
	t.Helper()
	dir := t.TempDir()
	project(t, dir, "app.csproj", "")
	edit(t, dir, "app.csproj", "</Project>",
		`<ItemGroup><PackageReference Include="Newtonsoft.Json" Version="13.0.4" /></ItemGroup></Project>`)
	write(t, dir, "Program.cs", `System.Console.WriteLine(Newtonsoft.Json.JsonConvert.SerializeObject("hello"));`)
	write(t, dir, "nuget.config", fmt.Sprintf(`<configuration>
  <packageSources><clear /><add key="private" value="%s" allowInsecureConnections="true" /></packageSources>
  %s
</configuration>`, source, credentials))
	return dir
}

// tryFeed builds an app of feedApp with a spec, and gives what was printed.
func tryFeed(t *testing.T, dir, spec string, args ...string) (string, error) {
	t.Helper()
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n"+spec)
	return tryBuild(t, dir, append(args, "-f", "crosshull.yaml", ".")...)
}

// configSecret is a file with a whole nuget.config that knows the password of user me.
func configSecret(t *testing.T, source, password string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "nuget.config")
	config := fmt.Sprintf(`<configuration>
  <packageSources><clear /><add key="private" value="%s" allowInsecureConnections="true" /></packageSources>
  <packageSourceCredentials><private>
    <add key="Username" value="me" /><add key="ClearTextPassword" value="%s" />
  </private></packageSourceCredentials>
</configuration>`, source, password)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Each way to give credentials works. TestFeedErrors has what happens with wrong ones.
func TestPrivateFeed(t *testing.T) {
	t.Parallel()
	password := "p4ss " + fresh()
	feed := newPrivate(t, "me", password, false)
	secretFile := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secretFile, []byte(password), 0o600); err != nil {
		t.Fatal(err)
	}
	configFile := configSecret(t, feed.index, password)
	for _, tc := range []struct {
		name, source, credentials, spec string
		args                            []string
	}{
		{"a source of nuget.config", feed.index, "",
			"nuget:\n  feeds:\n    - {name: private, username: me, password-secret: token}\n",
			[]string{"--secret", "id=token,src=" + secretFile}},
		{"a variable in nuget.config", feed.index,
			`<packageSourceCredentials><private><add key="Username" value="me" />` +
				`<add key="ClearTextPassword" value="%FEED_TOKEN%" /></private></packageSourceCredentials>`,
			"nuget:\n  secrets: {FEED_TOKEN: token}\n", []string{"--secret", "id=token,src=" + secretFile}},
		{"a whole nuget.config", "http://127.0.0.1:9/v3/index.json", "", "nuget:\n  config-secret: config\n",
			[]string{"--secret", "id=config,src=" + configFile}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, err := tryFeed(t, feedApp(t, tc.source, tc.credentials), tc.spec, tc.args...)
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
	t.Run("a source of the spec", func(t *testing.T) {
		dir := feedApp(t, feed.index, "")
		if err := os.Remove(filepath.Join(dir, "nuget.config")); err != nil {
			t.Fatal(err)
		}
		out, err := tryFeed(t, dir,
			fmt.Sprintf("nuget:\n  feeds:\n    - {name: mine, source: %q, username: me, password-secret: token}\n", feed.index),
			"--secret", "id=token,src="+secretFile)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	})
}

// MSBuild needs an SDK that is a package before a restore can give it. It gets it with the credentials of the restore,
// each way that they are given.
func TestSDKOfPrivateFeed(t *testing.T) {
	t.Parallel()
	password := "p4ss " + fresh()
	dir := t.TempDir()
	write(t, dir, "Team.Sdk.1.0.0.nupkg", feed.Package("Team.Sdk", "1.0.0",
		"Sdk/Sdk.props", `<Project><Import Project="Sdk.props" Sdk="Microsoft.NET.Sdk" /></Project>`,
		"Sdk/Sdk.targets", `<Project><PropertyGroup><Version>7.7.7</Version></PropertyGroup>`+
			`<Import Project="Sdk.targets" Sdk="Microsoft.NET.Sdk" /></Project>`))
	packages, err := feed.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(asks("me", password, packages))
	t.Cleanup(server.Close)
	index := server.URL + feed.Index
	setenv(t, "SDK_FEED_TOKEN", password)
	app := func(t *testing.T, credentials string) string {
		dir := feedApp(t, index, credentials)
		write(t, dir, "app.csproj", `<Project Sdk="Team.Sdk/1.0.0"><PropertyGroup><OutputType>Exe</OutputType>`+
			`<TargetFramework>net10.0</TargetFramework></PropertyGroup></Project><!-- `+fresh()+` -->`)
		write(t, dir, "Program.cs", "System.Console.WriteLine(typeof(Program).Assembly.GetName().Version);\n")
		return dir
	}
	for _, tc := range []struct{ name, credentials, spec, secret string }{
		{"a source of nuget.config", "",
			"nuget:\n  feeds:\n    - {name: private, username: me, password-secret: token}\n", "id=token,env=SDK_FEED_TOKEN"},
		{"a variable in nuget.config",
			`<packageSourceCredentials><private><add key="Username" value="me" />` +
				`<add key="ClearTextPassword" value="%FEED_TOKEN%" /></private></packageSourceCredentials>`,
			"nuget:\n  secrets: {FEED_TOKEN: token}\n", "id=token,env=SDK_FEED_TOKEN"},
		{"a whole nuget.config", "",
			"nuget:\n  config-secret: config\n", "id=config,src=" + configSecret(t, index, password)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, err := tryFeed(t, app(t, tc.credentials), tc.spec, "--secret", tc.secret)
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
	t.Run("no secret", func(t *testing.T) {
		out, err := tryFeed(t, app(t, ""), "nuget:\n  feeds:\n    - {name: private, username: me, password-secret: token}\n")
		if err == nil {
			t.Fatalf("the build succeeded:\n%s", out)
		}
		wantContains(t, "output", out, `crosshull.yaml:4: secret "token" is missing: give it to the build with --secret`)
	})
}

// What can go wrong with a feed are four different things, and each is said.
func TestFeedErrors(t *testing.T) {
	t.Parallel()
	feed := newPrivate(t, "", "right", false)
	spec := "nuget:\n  feeds:\n    - name: private\n      password-secret: token\n"
	setenv(t, "FEED_TOKEN", "wrong")
	setenv(t, "RIGHT_TOKEN", "right")
	for _, tc := range []struct {
		name, source, version string
		args                  []string
		want                  []string
	}{
		{"missing secret", feed.index, "13.0.4", nil,
			[]string{`crosshull.yaml:5: secret "token" is missing: give it to the build with --secret id=token,env=VARIABLE`,
				">>>       password-secret: token"}},
		{"refused", feed.index, "13.0.4", []string{"--secret", "id=token,env=FEED_TOKEN"},
			[]string{"NU1301", feed.index, "401 (Unauthorized)", "crosshull.yaml:2"}},
		{"unreachable", "http://127.0.0.1:9/v3/index.json", "13.0.4", []string{"--secret", "id=token,env=FEED_TOKEN"},
			[]string{"NU1301", "Connection refused (127.0.0.1:9)"}},
		{"missing package", feed.index, "99.0.0", []string{"--secret", "id=token,env=RIGHT_TOKEN"},
			[]string{"NU1102", "Unable to find package Newtonsoft.Json with version (>= 99.0.0)"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := feedApp(t, tc.source, "")
			edit(t, dir, "app.csproj", "13.0.4", tc.version)
			out, err := tryFeed(t, dir, spec, tc.args...)
			if err == nil {
				t.Fatalf("the build succeeded:\n%s", out)
			}
			wantContains(t, "output", out, tc.want...)
		})
	}
}

// A feed of the spec that a nuget.config would drop in silence is an error.
func TestClearedFeed(t *testing.T) {
	t.Parallel()
	out, err := tryFeed(t, feedApp(t, theLab.FeedURL(), ""),
		"nuget:\n  feeds:\n    - {name: mine, source: 'http://127.0.0.1:9/index.json'}\n")
	if err == nil {
		t.Fatalf("the build succeeded:\n%s", out)
	}
	wantContains(t, "output", out,
		"crosshull.yaml:4: NuGet would never ask feed mine: nuget.config:2 removes all other sources",
		`write <add key="mine" value="http://127.0.0.1:9/index.json" allowInsecureConnections="true" /> after that`,
		">>>   <packageSources><clear /><add key=")
}

// No configuration of the SDK image drops a feed of the spec: not that of the user, nor that of the machine. One in the
// folder above the sources would be hidden, which is an error.
func TestFeedsAndImage(t *testing.T) {
	t.Parallel()
	password := "p4ss " + fresh()
	feed := newPrivate(t, "me", password, false)
	setenv(t, "IMAGE_FEED_TOKEN", password)
	spec := fmt.Sprintf("nuget:\n  feeds:\n    - {name: mine, source: %q, username: me, password-secret: token}\n",
		feed.index)
	const clears = `<configuration><packageSources><clear /><add key="mine" value="http://127.0.0.1:9/index.json" />
</packageSources></configuration>`
	for _, tc := range []struct{ name, dockerfile, err string }{
		{"of the user", "COPY clears /root/.nuget/NuGet/NuGet.Config", ""},
		{"of the user, beside that", "COPY nothing /root/.nuget/NuGet/NuGet.Config\n" +
			"COPY clears /root/.nuget/NuGet/config/a.config", ""},
		{"of a user who has moved", "ENV DOTNET_CLI_HOME=/home/me\nCOPY clears /home/me/.nuget/NuGet/NuGet.Config", ""},
		{"of the machine", "COPY nothing /root/.nuget/NuGet/NuGet.Config\nCOPY clears /etc/opt/NuGet/Config/a.config", ""},
		{"above the sources", "COPY clears /NuGet.Config",
			"crosshull.yaml:4: NuGet would not read /NuGet.Config of the SDK image, because it reads these feeds in that place"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			image, repo := t.TempDir(), repository(t)
			write(t, image, "clears", clears)
			write(t, image, "nothing", "<configuration></configuration>\n") // in place of the lab's, which has a feed
			write(t, image, "Dockerfile", "FROM mcr.microsoft.com/dotnet/sdk:10.0\n"+tc.dockerfile+"\n")
			build(t, image, "-t", repo, "--push", ".")
			dir := feedApp(t, feed.index, "")
			if err := os.Remove(filepath.Join(dir, "nuget.config")); err != nil {
				t.Fatal(err)
			}
			out, err := tryFeed(t, dir, "sdk: {image: '"+repo+"'}\n"+spec, "--secret", "id=token,env=IMAGE_FEED_TOKEN")
			if (err != nil) != (tc.err != "") {
				t.Fatalf("%v\n%s", err, out)
			}
			wantContains(t, "output", out, tc.err)
		})
	}
}

// A certificate of the company's own is trusted if the spec says so, from a file of the context or a secret.
func TestFeedCA(t *testing.T) {
	t.Parallel()
	feed := newPrivate(t, "", "right", true)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: feed.Certificate().Raw})
	caFile := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	setenv(t, "RIGHT_TOKEN", "right")
	token := []string{"--secret", "id=token,env=RIGHT_TOKEN"}
	const spec = "nuget:\n  feeds: [{name: private, password-secret: token}]\n"
	out, err := tryFeed(t, feedApp(t, feed.index, ""), spec, token...)
	if err == nil {
		t.Fatalf("a certificate that nobody knows is trusted:\n%s", out)
	}
	wantContains(t, "output", out, "NU1301", "certificate")
	if out, err = tryFeed(t, feedApp(t, feed.index, ""), spec+"  ca-secret: ca\n",
		append(token, "--secret", "id=ca,src="+caFile)...); err != nil {
		t.Errorf("by secret: %v\n%s", err, out)
	}
	dir := feedApp(t, feed.index, "")
	write(t, dir, "certs/ca.pem", string(ca))
	if out, err = tryFeed(t, dir, spec+"  ca: certs/ca.pem\n", token...); err != nil {
		t.Errorf("by file: %v\n%s", err, out)
	}
}

// Two feeds have a package of one name: the company's own, and that of a stranger, who gives it a higher version. NuGet
// says who wins (Package Source Mapping, and "How NuGet resolves dependencies"), and crosshull does not change that.
func TestConfusedFeeds(t *testing.T) {
	t.Parallel()
	says := func(version, who string) string {
		return feed.Package("Team.Lib", version,
			"build/Team.Lib.props", "<Project><PropertyGroup><TeamLib>"+who+"</TeamLib></PropertyGroup></Project>")
	}
	for _, tc := range []struct{ name, version, mapping, want, err string }{
		{name: "no mapping, the highest version", version: "*", want: "the stranger's"},
		{name: "no mapping, a version that one feed has", version: "[1.0.0]", want: "the company's"},
		{
			name: "mapped to the company", version: "*", want: "the company's",
			mapping: `<packageSource key="company"><package pattern="Team.*" /></packageSource>
    <packageSource key="public"><package pattern="*" /></packageSource>`,
		},
		{
			name: "mapped to a feed without it", version: "[1.0.0]", err: "error NU1102: Unable to find package Team.Lib",
			mapping: `<packageSource key="public"><package pattern="*" /></packageSource>`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			project(t, dir, "app.csproj", "")
			edit(t, dir, "app.csproj", "</Project>", `<ItemGroup><PackageReference Include="Team.Lib" Version="`+tc.version+`" />
</ItemGroup><Target Name="Say" BeforeTargets="Build"><Message Importance="high" Text="this is $(TeamLib)" /></Target>
</Project>`)
			write(t, dir, "company/Team.Lib.1.0.0.nupkg", says("1.0.0", "the company's"))
			write(t, dir, "public/Team.Lib.2.0.0.nupkg", says("2.0.0", "the stranger's"))
			write(t, dir, "nuget.config", `<configuration>
  <packageSources><clear /><add key="company" value="company" /><add key="public" value="public" /></packageSources>
  <packageSourceMapping>`+tc.mapping+`</packageSourceMapping>
</configuration>`)
			write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n")
			rec, err := solve(t, dir)
			if tc.err != "" {
				if err == nil {
					t.Fatal("it was built")
				}
				wantContains(t, "error", err.Error(), tc.err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			wantContains(t, "log", rec.log, "this is "+tc.want)
		})
	}
}

// Secrets of feeds, of publish, of commands, of tests and of git, and the keys of an SSH agent, are left nowhere: not
// in layers, configurations, attestations, exported caches, the history of builds, snapshots and all else that a
// builder keeps, and not in the longest log.
//
// It takes a minute: it reads all that the builder and the exports hold.
func TestNoSecretShows(t *testing.T) {
	t.Parallel()
	secrets := map[string]string{}
	args := []string{"--debug", "--progress", "plain"}
	for _, kind := range []string{"feed", "config", "publish", "before", "after", "tests", "GIT_AUTH_TOKEN"} {
		secrets[kind] = "s3cr3t-of-" + kind + "-" + fresh()
		setenv(t, "SECRET_"+kind, secrets[kind])
		args = append(args, "--secret", "id="+kind+",env=SECRET_"+kind)
	}
	// BuildKit gives git the token in this form.
	secrets["the header of git"] = base64.StdEncoding.EncodeToString([]byte("x-access-token:" + secrets["GIT_AUTH_TOKEN"]))
	key, private := sshKey(t)
	args = append(args, "--ssh", "default="+key)
	text, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	secrets["the key of the agent"], secrets["the file of that key"] = string(private.Seed()), string(text)
	feed := newPrivate(t, "", secrets["feed"], false)
	dir := feedApp(t, feed.index, "")
	// Each step has to have its secret, or the test would find none for the wrong reason.
	const check = `<Target Name="Check" BeforeTargets="%s">
  <Error Condition="!$(%s.StartsWith('s3cr3t-of-%s'))" Text="no secret" />%s</Target></Project>`
	edit(t, dir, "app.csproj", "</Project>", fmt.Sprintf(check, "Build", "SIGNING_KEY", "publish",
		`<Error Condition="!Exists('$(SSH_AUTH_SOCK)')" Text="no agent" />`))
	edit(t, dir, "app.csproj", "<OutputType>", "<EnableDefaultItems>false</EnableDefaultItems><OutputType>")
	edit(t, dir, "app.csproj", "<ItemGroup>", `<ItemGroup><Compile Include="Program.cs" />`)
	project(t, dir, "unit/unit.csproj", "<GenerateProgramFile>false</GenerateProgramFile>")
	edit(t, dir, "unit/unit.csproj", "</Project>",
		`<ItemGroup><PackageReference Include="Microsoft.NET.Test.Sdk" Version="18.0.1" /></ItemGroup>`+
			fmt.Sprintf(check, "VSTest", "TESTED", "tests", ""))
	served := t.TempDir()
	write(t, served, "deploy/run.sh", "#!/bin/sh\n")
	git, err := url.Parse(gitServer(t, served))
	if err != nil {
		t.Fatal(err)
	}
	guarded := httptest.NewServer(asks("x-access-token", secrets["GIT_AUTH_TOKEN"],
		httputil.NewSingleHostReverseProxy(&url.URL{Scheme: git.Scheme, Host: git.Host})))
	t.Cleanup(guarded.Close)
	args = append(args, "--build-context", "extra="+guarded.URL+git.Path+"#main")
	spec := `nuget:
  feeds: [{name: private, password-secret: feed}]
  secrets: {OTHER_TOKEN: config}
project: app.csproj
publish:
  secrets: {SIGNING_KEY: publish}
  ssh: [default]
  before:
    - run: 'test "${BEFORE#s3cr3t-of-before}" != "$BEFORE" && test -S "$SSH_AUTH_SOCK"'
      secrets: {BEFORE: before}
      ssh: [default]
  after: [{run: 'test "${AFTER#s3cr3t-of-after}" != "$AFTER"', secrets: {AFTER: after}}]
tests: {projects: [unit], gate: true, secrets: {TESTED: tests}}
files:
  - {from: '` + guarded.URL + git.Path + `#v1:deploy', to: /opt/deploy}
  - {context: extra, from: deploy/run.sh, to: /opt/run.sh}
`
	needScanner(t)
	root := onFreshBuilder(t)
	out := t.TempDir()
	log, err := tryFeed(t, dir, spec, append(args,
		"--platform", "linux/amd64,linux/arm64",
		"--sbom=true", "--provenance=mode=max", "--output", "type=oci,tar=false,dest="+filepath.Join(out, "image"),
		"--cache-to", "type=local,mode=max,compression=uncompressed,force-compression=true,dest="+filepath.Join(out, "cache"),
		"--metadata-file", filepath.Join(out, "metadata.json"))...)
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	searched, bytesSearched := 0, 0
	search := func(name string, dt []byte) {
		searched++
		bytesSearched += len(dt)
		for kind, secret := range secrets {
			if bytes.Contains(dt, []byte(secret)) {
				t.Errorf("the secret of %s shows in %s", kind, name)
			}
		}
	}
	search("the log", []byte(log))
	found, sbom := false, false
	for name, blob := range tree(t, out) {
		dt := inflate([]byte(blob))
		search(name, dt)
		found = found || bytes.Contains(dt, []byte("CROSSHULL_FEED_0"))
		if bytes.Contains(dt, []byte("Tool: crosshull")) {
			sbom = true
			wantNoMachine(t, string(dt), feed.URL)
		}
	}
	if searched < 15 || bytesSearched < 10<<20 {
		t.Errorf("only %d files with %d bytes were searched", searched, bytesSearched)
	}
	// The search finds what is there: the name of the secret is no secret.
	if !found || !sbom {
		t.Errorf("the name of the variable was found: %v, the SBOM: %v: the search is blind", found, sbom)
	}
	snapshots := false
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		// buildkitd removes what no build needs any more.
		if errors.Is(err, fs.ErrNotExist) && name != root {
			return nil
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		dt, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		search(name, dt)
		snapshots = snapshots || bytes.Contains(dt, []byte("JsonConvert.SerializeObject"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !snapshots {
		t.Error("no snapshot has the source: the search is blind")
	}
}

// inflate gives the content of a blob, uncompressed if it was gzip.
func inflate(dt []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(dt))
	if err != nil {
		return dt
	}
	content, err := io.ReadAll(z)
	if err != nil {
		return dt
	}
	return content
}
