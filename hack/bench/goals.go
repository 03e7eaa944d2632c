package bench

import "fmt"

// A goal is what crosshull has to reach in a case and a situation.
type goal struct {
	project, mode string
	platforms     platforms // crosshull's
	situation     situation
	against       entrant // the other side of the ratio; only its contender and platforms count
	figure        *figure // where there is one, it is what counts of crosshull's runs, not the ratio of wall times
	limit         float64
}

// A figure is one of those of a run. Where it has to be right each time, the worst run is what counts, else the median.
type figure struct {
	name     string
	of       func(Figures) float64
	show     func(float64) string
	eachTime bool
}

var (
	frontendTime = &figure{
		name: "time in the frontend",
		of:   func(f Figures) float64 { return f.Frontend },
		show: func(v float64) string { return fmt.Sprintf("%.0f ms", v*1000) },
	}
	execs = &figure{
		name: "commands executed", eachTime: true,
		of:   func(f Figures) float64 { return float64(f.Execs) },
		show: func(v float64) string { return fmt.Sprintf("%.0f", v) },
	}
	appBytes = &figure{
		name: "pushed of the app", eachTime: true,
		of:   func(f Figures) float64 { return float64(f.PushedApp) },
		show: kilobytes,
	}
	changedLayers = &figure{
		name: "layers changed, of all platforms", eachTime: true,
		of:   func(f Figures) float64 { return float64(f.ChangedLayers) },
		show: func(v float64) string { return fmt.Sprintf("%.0f", v) },
	}
)

// goals are the project's own. Ratios are of wall time, on 2 cores.
var goals = concat(
	// Against Dockerfiles, in portable mode: the seed's for two and for three platforms, the portable one for three.
	ratios(aspnetapp, cold, 0.60, 0.40, 1.0),
	ratios(libraries50, cold, 0.60, 0.40, 1.0),
	ratios(aspnetapp, edit, 0.25, 0.15, 0.45),
	ratios(libraries50, edit, 0.10, 0.08, 0.12),
	ratios(libraries50, deep, 0.15, 0.12, 0.20),
	ratios(aspnetapp, nothing, 1.0, 1.0, 1.0),
	ratios(libraries50, nothing, 1.0, 1.0, 1.0),
	ratios(aspnetapp, rebase, 1.0, 1.0, 1.0),
	ratios(libraries50, rebase, 1.0, 1.0, 1.0),
	ratios(aspnetapp, fresh, 0.40, 0.25, 0.60),
	ratios(libraries50, fresh, 0.40, 0.25, 0.60),
	figures(nothing, frontendTime, 0.150),
	figures(rebase, execs, 0),
	figures(rebase, appBytes, 0),
	// A push after a one-line edit: the app layer once for all platforms, and of aspnetapp little.
	figures(edit, changedLayers, 1),
	[]goal{{project: aspnetapp, mode: modePortable, platforms: three, situation: edit, figure: appBytes, limit: 60e3}},
	// An edit of the app runs no step of the system's packages.
	[]goal{{project: ospackages, mode: modePortable, platforms: three, situation: edit, figure: execs, limit: 1}},
	// Each further platform: at most 3 % of the first, or 25 % where each is compiled for.
	further(aspnetapp, modePortable, two, 1.03),
	further(aspnetapp, modePortable, three, 1.06),
	further(libraries50, modePortable, two, 1.03),
	further(libraries50, modePortable, three, 1.06),
	further(aspnetapp, modeAppHost, two, 1.03),
	further(aspnetapp, modeSelfContained, two, 1.25),
	further(aspnetapp, modeReadyToRun, two, 1.25),
	// Against what needs no Dockerfile.
	onHost(aspnetapp), onHost(libraries50),
)

func ratios(project string, s situation, seedTwo, seedThree, portableThree float64) []goal {
	g := goal{project: project, mode: modePortable, situation: s}
	var out []goal
	for _, v := range []struct {
		contender contender
		platforms platforms
		limit     float64
	}{{seed, two, seedTwo}, {seed, three, seedThree}, {portable, three, portableThree}} {
		g.platforms, g.against, g.limit = v.platforms, entrant{contender: v.contender, platforms: v.platforms}, v.limit
		out = append(out, g)
	}
	return out
}

func figures(s situation, f *figure, limit float64) []goal {
	g := goal{project: aspnetapp, mode: modePortable, platforms: three, situation: s, figure: f, limit: limit}
	other := g
	other.project = libraries50
	return []goal{g, other}
}

func further(project, mode string, p platforms, limit float64) []goal {
	return []goal{
		{
			project:   project,
			mode:      mode,
			platforms: p,
			situation: cold,
			against:   entrant{contender: crosshull, platforms: one},
			limit:     limit,
		},
	}
}

func onHost(project string) []goal {
	return []goal{
		{
			project:   project,
			mode:      modePortable,
			platforms: one,
			situation: cold,
			against:   entrant{contender: floor, platforms: one},
			limit:     1.15,
		},
		{
			project:   project,
			mode:      modePortable,
			platforms: two,
			situation: cold,
			against:   entrant{contender: sdk, platforms: two},
			limit:     0.6,
		},
	}
}

func concat(lists ...[]goal) []goal {
	var out []goal
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

// verdict is what became of a goal.
type verdict struct {
	goal
	measured *Ratio // nil: not measured
}

// String is met, missed, or how far a miss is off.
func (v verdict) String() string {
	switch {
	case v.measured == nil:
		return "not measured"
	case v.measured.Median <= v.limit:
		return "met"
	case v.limit == 0:
		return "missed"
	}
	return fmt.Sprintf("missed by %.0f %%", (v.measured.Median/v.limit-1)*100)
}

// value is what was measured, with its spread.
func (v verdict) value() string {
	switch m := v.measured; {
	case m == nil:
		return ""
	case v.figure != nil && v.figure.eachTime:
		return v.show(m.Median)
	default:
		return fmt.Sprintf("%s (%s–%s)", v.show(m.Median), v.show(m.Min), v.show(m.Max))
	}
}

func (v verdict) caseName() string {
	return experiment{project: v.project, mode: v.mode}.caseName(v.platforms)
}

// what says what is measured.
func (g goal) what() string {
	if g.figure != nil {
		return g.figure.name
	}
	return "time against " + pair{against: g.against}.name()
}

// show is a measure as people read it.
func (g goal) show(v float64) string {
	if g.figure != nil {
		return g.figure.show(v)
	}
	return fmt.Sprintf("%.2f", v)
}

// judge compares results with goals.
func judge(results []Result, goals []goal) []verdict {
	out := make([]verdict, len(goals))
	for i, g := range goals {
		out[i] = verdict{goal: g}
		for _, r := range results {
			if r.Case == out[i].caseName() && r.Situation == string(g.situation) &&
				(g.figure != nil || r.Against == pair{against: g.against}.name()) {
				m := g.measure(r)
				out[i].measured = &m
				break
			}
		}
	}
	return out
}

// measure gives what counts for g: a ratio, or a figure of crosshull's runs.
func (g goal) measure(r Result) Ratio {
	if g.figure == nil {
		return r.Ratio
	}
	values := make([]float64, len(r.Rounds))
	for i, round := range r.Rounds {
		values[i] = g.figure.of(round.Crosshull)
	}
	m := spread(values)
	if g.figure.eachTime {
		m.Median = m.Max
	}
	return m
}
