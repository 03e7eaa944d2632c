package dockerfile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/containerd/platforms"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
)

// image writes the stage of the image. If build arguments cannot express all differences between platforms, each
// platform has its own stage, and the last stage chooses one.
func (a *app) image() error {
	a.madeFiles()
	a.packageSources()
	bases := make([]string, len(a.Targets))
	stages := make([][]string, len(a.Targets))
	differ := false
	for i, t := range a.Targets {
		base, err := image(t.Base.Pin())
		if err != nil {
			return err
		}
		bases[i], stages[i] = base, a.imageStage(t)
		differ = differ || base != bases[0] || !slices.Equal(stages[i], stages[0])
	}
	a.annotations()
	if !differ {
		a.line("")
		a.from("", bases[0], a.final)
		a.lines = append(a.lines, stages[0]...)
		return nil
	}
	prefix := a.platformStages()
	for i, t := range a.Targets {
		a.line("")
		a.from("", bases[i], prefix+platformName(t.Platform))
		a.lines = append(a.lines, stages[i]...)
	}
	a.line("")
	a.from("", prefix+"${TARGETARCH}${TARGETVARIANT}", a.final)
	return nil
}

// platformStages returns the prefix of the names of platforms' stages.
func (a *app) platformStages() string {
	for prefix := a.final + "-"; ; prefix += "for-" {
		if !slices.ContainsFunc(a.Targets, func(t plan.Target) bool { return a.names[prefix+platformName(t.Platform)] }) {
			for _, t := range a.Targets {
				a.names[prefix+platformName(t.Platform)] = true
			}
			return prefix
		}
	}
}

// platformName is TARGETARCH and TARGETVARIANT.
func platformName(p ocispecs.Platform) string {
	p = platforms.Normalize(p)
	return p.Architecture + p.Variant
}

// annotations writes a comment about what a Dockerfile cannot set.
func (a *app) annotations() {
	said := map[string]bool{}
	for _, t := range a.Targets {
		for _, key := range slices.Sorted(maps.Keys(t.Spec.Image.Annotations)) {
			level := "manifest[" + platforms.Format(t.Platform) + "]:"
			if a.SameAnnotation(key) {
				level = "manifest:"
			}
			kv := key + "=" + t.Spec.Image.Annotations[key]
			if said[level+kv] {
				continue
			}
			if len(said) == 0 {
				a.line("")
				a.comment("Annotations, which a Dockerfile cannot set:")
			}
			said[level+kv] = true
			if why := unheld(kv); why != "" {
				a.left("image.annotations."+key, why)
			} else {
				a.comment("    docker buildx build --annotation %s", oneLine(shell(level+kv)))
			}
		}
	}
}

// stage is the stage of the image of a platform.
type stage struct {
	*app
	plan.Target
	base dockerspec.DockerOCIImageConfig
	// above writes what comes before this stage.
	above *writer
}

// imageStage returns the lines of the stage for a platform, without its FROM.
func (a *app) imageStage(t plan.Target) []string {
	own := *a
	own.writer = &writer{page: a.page}
	s := stage{app: &own, Target: t, above: a.writer}
	if t.Base.Config != nil {
		s.base = t.Base.Config.Config
	}
	s.packages()
	s.users()
	s.workdir()
	s.files()
	s.published()
	s.inherited()
	s.ports()
	s.labels()
	s.runtime()
	s.env()
	s.command()
	return s.lines
}

// published copies the app. An image of files alone only waits for its tests: it copies nothing of them.
func (s *stage) published() {
	switch {
	case !s.App.None():
		for _, of := range s.Also {
			to := word(plain(strings.TrimSuffix(of.Dir, "/") + "/"))
			s.put("publish.also", copyLine("--link --from="+s.edited(), output(of), to), plain(to))
		}
		app := word(plain(strings.TrimSuffix(xllb.AppDir(s.App), "/") + "/"))
		s.put("the folder of the app", copyLine("--link --from="+s.edited(), "/app", app), plain(app))
		s.ownersInApp()
	case s.Request.Spec.Tests.Gate:
		s.comment("Nothing has this name: the image only waits for the tests.")
		s.line("COPY --link --from=%s /results/nothing* /", s.test)
	}
}

// copyLine makes a COPY of words. It uses JSON if the parser would split a word at its spaces or take it for a heredoc.
func copyLine(flags string, words ...string) string {
	flags = strings.TrimLeft(flags, " ") // not at the end, where a space may be escaped
	if flags != "" {
		flags += " "
	}
	if slices.ContainsFunc(words, func(w string) bool { return strings.ContainsAny(w, " \t<\\") }) {
		return "COPY " + flags + list(words)
	}
	return "COPY " + flags + strings.Join(words, " ")
}

func (s *stage) config() dockerspec.DockerOCIImageConfig { return s.Config.Image.Config }

// decided tells whether something other than the base set a value.
func (s *stage) decided(key string) bool { return s.Config.Origins[key] != xllb.FromBase }

func (s *stage) workdir() {
	dir := s.value(s.Spec, "image.workdir", s.config().WorkingDir)
	if dir.hasArgs() || s.base.WorkingDir != dir.String() {
		s.put("image.workdir", "WORKDIR "+word(dir), dir)
	}
}

// inherited writes a comment about what the base has and the plan has not, if a Dockerfile cannot drop it.
func (s *stage) inherited() {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.base.Labels)) {
		if _, ok := s.config().Labels[name]; !ok {
			names = append(names, "label "+name)
		}
	}
	for _, port := range slices.Sorted(maps.Keys(s.base.ExposedPorts)) {
		if _, ok := s.config().ExposedPorts[port]; !ok {
			names = append(names, "port "+port)
		}
	}
	if len(names) > 0 {
		s.comment("The base has these, and a Dockerfile cannot drop them: %s.", oneLine(strings.Join(names, ", ")))
	}
}

// listeners are variables that ports come from if the spec has none.
var listeners = []string{"ASPNETCORE_URLS", "ASPNETCORE_HTTP_PORTS", "ASPNETCORE_HTTPS_PORTS"}

func (s *stage) ports() {
	if s.Spec.Image.Ports != nil {
		for i, port := range s.Spec.Image.Ports {
			key := fmt.Sprintf("image.ports.%d", i)
			value := s.value(s.Spec, key, port)
			s.put(key, "EXPOSE "+word(value), value)
		}
		return
	}
	for _, name := range listeners {
		if s.Spec.Parts(s.path(s.Spec, "image.env."+name)) != nil {
			s.comment("EXPOSE is for the value that %s has without build arguments.", name)
		}
	}
	for _, port := range slices.Sorted(maps.Keys(s.config().ExposedPorts)) {
		if _, ok := s.base.ExposedPorts[port]; ok {
			continue
		}
		if _, err := spec.Ports(port); err != nil { // set by the project
			s.comment("Left out: %s.", oneLine(err.Error()))
			continue
		}
		s.line("EXPOSE %s", port)
	}
}

// labelsOfProperties tells whether labels can depend on build arguments through the project.
func (s *stage) labelsOfProperties() bool {
	inPublish := func(path string) bool { return strings.Contains(path, "publish.") }
	ofProject := func(name string) bool {
		isBase := strings.HasPrefix(name, "org.opencontainers.image.base.")
		return s.Config.Origins["labels."+name] == xllb.FromProject && !isBase
	}
	return slices.ContainsFunc(slices.Collect(maps.Keys(s.taken)), inPublish) &&
		slices.ContainsFunc(slices.Collect(maps.Keys(s.config().Labels)), ofProject)
}

func (s *stage) labels() {
	if s.labelsOfProperties() {
		s.comment("Labels that the project makes of its properties are those of the call that wrote this.")
	}
	for _, name := range slices.Sorted(maps.Keys(s.config().Labels)) {
		key := "image.labels." + name
		switch {
		case !s.decided("labels." + name):
		case name == ocispecs.AnnotationBaseImageDigest:
			s.left(key, "differs for each platform")
		case unheldKey(name) != "":
			s.comment("Left out: the label %s, whose name %s.", oneLine(name), unheldKey(name))
		default:
			value := s.value(s.Spec, key, s.config().Labels[name])
			s.put(key, "LABEL "+pair(name, value), value)
		}
	}
}

// runtime writes the settings for container engines.
func (s *stage) runtime() {
	c := s.config()
	if volumes := slices.Sorted(maps.Keys(c.Volumes)); s.decided("volumes") && len(volumes) > 0 {
		s.volumes(volumes)
	}
	if s.decided("stop-signal") {
		signal := s.value(s.Spec, "image.stop-signal", c.StopSignal)
		s.put("image.stop-signal", "STOPSIGNAL "+word(signal), signal)
	}
	if c.Healthcheck != nil && s.decided("healthcheck") {
		s.healthcheck(c.Healthcheck)
	}
	if c.User != "" {
		user := s.value(s.Spec, "image.user", c.User)
		s.put("image.user", "USER "+word(user), user)
	}
}

// volumes writes VOLUME. Its list contains words.
func (s *stage) volumes(volumes []string) {
	var words []string
	for _, v := range volumes {
		if why := unheld(v); why != "" {
			s.left("image.volumes", why)
			continue
		}
		key := fmt.Sprintf("image.volumes.%d", slices.Index(s.Spec.Image.Volumes, v))
		value := s.value(s.Spec, key, v)
		s.use(value)
		words = append(words, word(value))
	}
	s.put("image.volumes", "VOLUME "+list(words))
}

// healthcheck writes HEALTHCHECK. A command for the shell is a line, or a word of a list if it cannot be a line.
func (s *stage) healthcheck(h *dockerspec.HealthcheckConfig) {
	if h.Test[0] == "NONE" {
		s.line("HEALTHCHECK NONE")
		return
	}
	line := "HEALTHCHECK"
	for _, option := range []struct {
		name  string
		value time.Duration
	}{{"interval", h.Interval}, {"timeout", h.Timeout}, {"start-period", h.StartPeriod}} {
		if option.value != 0 {
			line += " --" + option.name + "=" + option.value.String()
		}
	}
	if h.Retries > 0 {
		line += fmt.Sprintf(" --retries=%d", h.Retries)
	}
	words := h.Test[1:]
	if h.Test[0] == "CMD-SHELL" {
		if len(words) == 1 && isLine(words[0]) {
			s.line("%s CMD %s", line, words[0])
			return
		}
		shell := s.base.Shell
		if len(shell) == 0 {
			shell = []string{"/bin/sh", "-c"}
		}
		words = append(slices.Clone(shell), words...)
	}
	s.list("image.healthcheck", line+" CMD ", words)
}

// list writes an instruction with a list. Nothing expands its words.
func (s *stage) list(key, instruction string, words []string) {
	if why := unheldList(words); why != "" {
		s.left(key, why)
		return
	}
	s.put(key, instruction+list(words))
}

// isLine tells whether a command can be the unchanged end of a line.
func isLine(command string) bool {
	return unheld(command) == "" && strings.TrimSpace(command) == command && !strings.HasPrefix(command, "[") &&
		!strings.HasSuffix(command, `\`)
}

// env writes a single ENV, after everything that has arguments: a variable would hide an argument of the same name.
func (s *stage) env() {
	var pairs []string
	for _, kv := range s.config().Env {
		name, planned, _ := strings.Cut(kv, "=")
		key := "image.env." + name
		if !s.decided("env." + name) {
			continue
		}
		value := s.value(s.Spec, key, planned)
		if why := cmp.Or(unheldKey(name), unheld(pair(name, value))); why != "" {
			s.left(key, why)
			continue
		}
		s.use(value)
		pairs = append(pairs, pair(name, value))
	}
	if len(pairs) > 0 {
		s.line("ENV %s", strings.Join(pairs, " \\\n    "))
	}
}

// command writes what the image starts. ENTRYPOINT drops the CMD of the base.
func (s *stage) command() {
	c := s.config()
	switch {
	case c.Entrypoint != nil:
		s.list("image.entrypoint", "ENTRYPOINT ", c.Entrypoint)
	case s.base.Entrypoint != nil:
		s.line("ENTRYPOINT []")
	}
	switch {
	case c.Cmd != nil:
		s.list("image.args", "CMD ", c.Cmd)
	case c.Entrypoint == nil && s.base.Entrypoint == nil && s.base.Cmd != nil:
		s.line("CMD []")
	}
}
