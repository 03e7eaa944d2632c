package check

import (
	"bytes"
	"cmp"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

func platformMissing(r *run, a *App) {
	for _, p := range a.Missing {
		r.warn(r.whereBase(a), "%s has no image for %s: use %s, or another base", a.Base.Name, p, strings.Join(a.Has, ", "))
	}
}

func runtimeMismatch(r *run, a *App) {
	mode, name := a.Project.Mode, a.Base.Name
	if repository := a.Base.dotnet(); mode.BringsRuntime() {
		if repository == "runtime" || repository == "aspnet" {
			r.warn(
				r.whereBase(a),
				"%s has a runtime that the app never uses, as it is published %s: use dotnet/runtime-deps, or set no base",
				name,
				mode,
			)
		}
		return
	}
	known := name
	if a.Base.Replaced {
		known = ""
	}
	needed := dotnet.NeededBy(a.Project)
	for _, image := range a.Images {
		shared := dotnet.SharedOf(known, image.Base.Env)
		command := slices.Concat(image.Image.Entrypoint, image.Image.Cmd)
		if f, fit := shared.Lacks(dotnet.Roll(needed, image.Image.Env, command)); fit == dotnet.Misfits {
			use := "Use a base that has it"
			if advice := dotnet.Advice(needed); advice != "" {
				use = "Use " + advice + ", or another base that has it"
			}
			r.warn(r.whereBase(a), "%s. %s", shared.Tell(name, f), use)
		}
	}
}

func platformTarget(r *run, a *App) {
	for _, n := range a.Project.Closure {
		for _, rid := range a.RIDs {
			if n.Path == a.Project.Path || n.IsFor(rid) { // an app that does not start is an error
				continue
			}
			place, ok := r.inProject(a, n.Path, inProperty("PlatformTarget").xml)
			if !ok {
				place = r.where(a, inKey("project"))
			}
			const why = "%s has PlatformTarget %s, so an app on %s cannot load it: set PlatformTarget to AnyCPU, or remove it"
			r.warn(place, why, n.Path, n.PlatformTarget, rid)
		}
	}
}

func nativeAssets(r *run, a *App) {
	for _, out := range a.Outputs {
		for _, text := range dotnet.Unloadable(out.Natives, out.RID) {
			r.warn(
				r.whereBase(a),
				"%s, the platform of %s: if the app loads the file, it fails. Use another base, or another version of the package",
				text,
				a.Base.Name,
			)
		}
	}
}

// bringsICU tells whether a project has a package with ICU.
func (r *run) bringsICU() bool {
	for _, dt := range r.Files {
		if bytes.Contains(dt, []byte("System.Globalization.AppLocalIcu")) {
			return true
		}
	}
	return false
}

func invariantMode(r *run, a *App) {
	const variable = "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"
	const advice = "take a base with ICU, such as an -extra variant"
	explicit := a.Spec.Image.Env[variable] != "" ||
		slices.ContainsFunc(a.Project.Env, func(kv dotnet.KeyValue) bool { return kv.Key == variable })
	project := a.Project.InvariantGlobalization
	for _, image := range a.Images {
		switch without := isTrue(getenv(image.Base.Env, variable)); {
		case without && project != "true" && r.bringsICU():
		case without && project == "false":
			r.warn(
				r.whereBase(a),
				"%s has no ICU, and an app with InvariantGlobalization=false does not start without it: %s",
				a.Base.Name,
				advice,
			)
		case without && project == "" && !isTrue(getenv(image.Image.Env, variable)):
			r.warn(
				r.where(a, inKey("image.env."+variable), inItem("ContainerEnvironmentVariable", variable)),
				"%s has no ICU, and the app does not start without it unless %s is true: %s",
				a.Base.Name,
				variable,
				advice,
			)
		case without && project == "" && !explicit:
			r.warn(
				r.whereBase(a),
				"%s has no ICU, so all cultures are the same to the app: if you want that, set InvariantGlobalization=true in "+
					"the project; else %s",
				a.Base.Name,
				advice,
			)
		case project == "true" && a.Base.dotnet() != "" && strings.HasSuffix(a.Base.Name, "-extra"):
			r.warn(
				r.whereBase(a),
				"%s has ICU, which an app with InvariantGlobalization=true never reads: take the variant without -extra",
				a.Base.Name,
			)
		}
	}
}

func aotOnMusl(r *run, a *App) {
	if a.Toolchain.Name == "" {
		return
	}
	if err := dotnet.CheckToolchain(a.Toolchain.Name, a.RIDs, r.BuildRID); err != nil {
		r.warn(r.where(a, inKey("publish.mode"), inProperty("PublishAot")), "%v", err)
	}
}

// assembly is the file of the app that a health check can run.
func (a *App) assembly() string { return cmp.Or(a.Project.TargetFileName, "app.dll") }

func missingEntrypoint(r *run, a *App) {
	if !a.Project.None() || a.Spec.Image.Entrypoint != nil || a.Spec.Image.Args != nil || len(a.Images) == 0 {
		return
	}
	const say = "as in image: {entrypoint: [dotnet, /app/app.dll]}"
	base := a.Images[0].Base
	switch runs := strings.Join(slices.Concat(base.Entrypoint, base.Cmd), " "); {
	case runs == "":
		r.warn(r.where(a, inKey("project")), "%s has no command, so the image runs nothing: say what it runs, %s",
			a.Base.Name, say)
	case a.Base.dotnet() != "": // a shell, or dotnet without an app
		r.warn(r.where(a, inKey("project")), "the image runs %s, as %s does: say what it runs, %s", runs, a.Base.Name, say)
	}
}

func rootUser(r *run, a *App) {
	for _, image := range a.Images {
		if !a.runsAsRoot(image) {
			continue
		}
		place := r.where(
			a,
			inKey("image.user"),
			inProperty("ContainerUser"),
			inKey("base.image"),
			inProperty("ContainerBaseImage"),
		)
		if uid := getenv(image.Base.Env, "APP_UID"); uid != "" {
			r.warn(place, "the app runs as root, though %s has user %[2]s for it: set image.user to %[2]s", a.Base.Name, uid)
		} else {
			const runsAsRoot = "the app runs as root, as %s names no other user: set image.user to a number such as 1654"
			r.warn(place, runsAsRoot, a.Base.Name)
		}
	}
}

// runsAsRoot tells whether an image of an app runs as root, whatever name root has.
func (a *App) runsAsRoot(image Configured) bool {
	user, _, _ := strings.Cut(image.Image.User, ":")
	return isRoot(user) || slices.ContainsFunc(a.Spec.Image.Users, func(u spec.User) bool {
		return u.Name == user && u.UID == "0"
	})
}

// isRoot tells whether the user of an image's configuration is root.
func isRoot(user string) bool {
	name, _, _ := strings.Cut(user, ":")
	return name == "root" || strings.Trim(name, "0") == ""
}

func privilegedPort(r *run, a *App) {
	for _, image := range a.Images {
		if a.runsAsRoot(image) {
			continue
		}
		for _, port := range slices.Sorted(maps.Keys(image.Image.ExposedPorts)) {
			number, _, _ := strings.Cut(port, "/")
			if n, err := strconv.Atoi(number); err == nil && n < 1024 {
				r.warn(
					r.wherePort(a, number),
					"port %d is below 1024, and some container engines do not let user %s open it: use one from 1024 on, and map "+
						"it to any port outside",
					n,
					image.Image.User,
				)
			}
		}
	}
}

// wherePort is the place that makes the image expose a port.
func (r *run) wherePort(a *App, number string) place {
	for i, p := range a.Spec.Image.Ports {
		ports, err := spec.Ports(p)
		if err == nil && slices.ContainsFunc(ports, func(p string) bool { return strings.HasPrefix(p, number+"/") }) {
			return r.where(a, inKey("image.ports."+strconv.Itoa(i)))
		}
	}
	spots := []spot{inItem("ContainerPort", number)}
	for _, name := range []string{"ASPNETCORE_URLS", "ASPNETCORE_HTTP_PORTS", "ASPNETCORE_HTTPS_PORTS"} {
		spots = append(spots, inKey("image.env."+name), inItem("ContainerEnvironmentVariable", name))
	}
	return r.where(a, append(spots, inKey("base.image"))...)
}

var loopback = regexp.MustCompile(`(?i)^\s*\w+://(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/]|\s*$)`)

// onlyLoopback tells whether nothing outside of the container can reach any address of a list.
func onlyLoopback(urls string) bool {
	all := strings.FieldsFunc(urls, func(c rune) bool { return c == ';' })
	return len(all) > 0 && !slices.ContainsFunc(all, func(u string) bool { return !loopback.MatchString(u) })
}

func loopbackAddress(r *run, a *App) {
	const advice = "listen on all addresses, as in http://+:8080"
	for _, image := range a.Images {
		for _, kv := range image.Image.Env {
			name, value, _ := strings.Cut(kv, "=")
			upper := strings.ToUpper(name)
			listens := slices.Contains([]string{"ASPNETCORE_URLS", "DOTNET_URLS", "URLS"}, upper) ||
				strings.HasPrefix(upper, "KESTREL__ENDPOINTS__") && strings.HasSuffix(upper, "__URL")
			if listens && onlyLoopback(value) {
				r.warn(
					r.where(a, inKey("image.env."+name), inItem("ContainerEnvironmentVariable", name), inKey("base.image")),
					"nothing outside of the container reaches %s: %s",
					value,
					advice,
				)
			}
		}
		args := slices.Concat(image.Image.Entrypoint, image.Image.Cmd)
		for i, arg := range args {
			value, ok := strings.CutPrefix(arg, "--urls=")
			if arg == "--urls" && i+1 < len(args) {
				value, ok = args[i+1], true
			}
			if ok && onlyLoopback(value) {
				r.warn(
					r.where(
						a,
						inKey("image.args"),
						inKey("image.entrypoint"),
						inItem("ContainerAppCommandArgs", arg),
						inItem("ContainerDefaultArgs", arg),
					),
					"nothing outside of the container reaches %s: %s",
					value,
					advice,
				)
			}
		}
	}
}

var shells = []string{"sh", "ash", "bash", "dash"}

// needsShell tells whether a program is a shell, or a script for one.
func needsShell(program string) bool {
	return slices.Contains(shells, path.Base(program)) || path.Ext(program) == ".sh"
}

func shellInHealthcheck(r *run, a *App) {
	if !a.Base.hasNoShell() {
		return
	}
	for _, image := range a.Images {
		if h := image.Image.Healthcheck; h != nil && a.Spec.Image.Healthcheck != nil {
			if _, shell := programs(h.Test); shell {
				r.warn(
					r.whereTest(a),
					"%s has no shell for the health check: name a program and its arguments, as in test: [CMD, dotnet, %s, check]",
					a.Base.Name,
					a.assembly(),
				)
			}
		}
		if e := image.Image.Entrypoint; len(e) > 0 && needsShell(e[0]) {
			r.warn(
				r.where(a, inKey("image.entrypoint"), inItem("ContainerEntrypoint", e[0]), inItem("ContainerAppCommand", e[0])),
				"%s has no shell for the entrypoint %s: name the program to start",
				a.Base.Name,
				e[0],
			)
		}
	}
}

func missingHealthcheckTool(r *run, a *App) {
	repository, tag := a.Base.dotnet(), parseImage(a.Base.Name).tag
	if repository == "" || a.Spec.Image.Healthcheck == nil || strings.Contains(tag, "azurelinux") && !a.Base.hasNoShell() {
		return
	}
	for _, image := range a.Images {
		if image.Image.Healthcheck == nil {
			continue
		}
		names, _ := programs(image.Image.Healthcheck.Test)
		for _, name := range names {
			brought := slices.ContainsFunc(
				a.Spec.Files,
				func(f spec.File) bool {
					paths := slices.Concat(f.From, []string{f.To, f.Link})
					return slices.ContainsFunc(paths, func(p string) bool { return path.Base(p) == name })
				},
			)
			installed := slices.ContainsFunc(
				osPackages(a.Spec.Base.Packages),
				func(p namedPackage) bool { return p.name() == name },
			)
			missing := name == "curl" || name == "wget" && !strings.Contains(tag, "alpine") // Alpine has busybox's wget
			if missing && !brought && !installed {
				or := "add the program in files"
				if !strings.Contains(tag, "alpine") && !a.Base.hasNoShell() {
					or = "install it: base: {packages: [" + name + "]}"
				}
				r.warn(
					r.whereTest(a),
					"%s has no %s: let the app check itself, as in test: [CMD, dotnet, %s, check], or %s",
					a.Base.Name,
					name,
					a.assembly(),
					or,
				)
			}
		}
	}
}

func (r *run) whereTest(a *App) place {
	return r.where(a, inKey("image.healthcheck.test"), inKey("image.healthcheck"))
}

var commandEnd = regexp.MustCompile(`[;&|({]+`)

// programs returns the programs that the test of a health check runs, and whether the test needs a shell.
func programs(test []string) (names []string, shell bool) {
	if len(test) < 2 || test[0] != "CMD" && test[0] != "CMD-SHELL" {
		return nil, false
	}
	shell = test[0] == "CMD-SHELL" || needsShell(test[1])
	if !shell {
		return []string{path.Base(test[1])}, false
	}
	for _, part := range commandEnd.Split(strings.Join(test[1:], " "), -1) {
		for _, word := range strings.Fields(part) {
			if !strings.HasPrefix(word, "-") && !slices.Contains(shells, path.Base(word)) {
				names = append(names, path.Base(word))
				break
			}
		}
	}
	return names, true
}

func isTrue(v string) bool { return v == "1" || strings.EqualFold(v, "true") }

func getenv(env []string, key string) string {
	for _, kv := range env {
		if k, v, _ := strings.Cut(kv, "="); k == key {
			return v
		}
	}
	return ""
}
