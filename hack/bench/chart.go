package bench

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// The measures of the chart, in pixels.
const (
	chartWidth = 820
	chartLabel = 330 // where bars begin
	chartUnit  = 300 // length of a ratio of 1
	chartMost  = 1.4 // ratios beyond are cut off, their number is not
	chartRow   = 20
	chartTop   = 64
)

// chartStyle follows the reader's light or dark theme. The ground is part of it, since a page need not do so.
const chartStyle = `.ground { fill: #ffffff } text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 } .head { font-weight: 600 }
.met { fill: #1a7f37 } .missed { fill: #bf5700 } .line { stroke: #8c959f } .spread { stroke: #1f2328 } ` +
	`.goal { stroke: #0969da; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
.ground { fill: #0d1117 } text { fill: #e6edf3 } .met { fill: #3fb950 } .missed { fill: #f0883e } ` +
	`.spread { stroke: #e6edf3 } .goal { stroke: #58a6ff }
}`

// chart draws a bar for every goal that is a ratio of crosshull to something else, by situation: how long it is, from
// where to where it went in the rounds, and where it should end.
func (r *Report) chart() string {
	var body strings.Builder
	y := chartTop
	verdicts := judge(r.Results, goals)
	for _, s := range situations {
		headed := false
		for _, v := range verdicts {
			if v.situation != s || v.figure != nil || v.against.contender == crosshull || v.measured == nil {
				continue
			}
			if !headed {
				y += 10
				text(&body, 10, y+14, "head", string(s))
				y += chartRow
				headed = true
			}
			bar(&body, y, v)
			y += chartRow
		}
	}
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img">`+"\n", chartWidth, y+16)
	fmt.Fprintf(&out, "<title>Time of crosshull, as a part of that of others</title>\n<style>%s</style>\n", chartStyle)
	out.WriteString(`<rect class="ground" width="100%" height="100%" rx="6"/>` + "\n")
	text(&out, 10, 22, "title", "Time of crosshull, as a part of that of others")
	text(&out, 10, 42, "", "thin: from the best round to the worst; blue: the goal; orange: missed")
	for _, ratio := range []float64{0, 0.5, 1} {
		x := at(ratio)
		fmt.Fprintf(&out, `<line class="line" x1="%[1]d" y1="%[2]d" x2="%[1]d" y2="%[3]d"/>`+"\n", x, chartTop, y+4)
		text(&out, x-8, chartTop-4, "", fmt.Sprintf("%.1f", ratio))
	}
	out.WriteString(body.String() + "</svg>\n")
	return out.String()
}

func at(ratio float64) int { return chartLabel + int(min(ratio, chartMost)*chartUnit+0.5) }

func bar(b *strings.Builder, y int, v verdict) {
	class := "missed"
	if v.measured.Median <= v.limit {
		class = "met"
	}
	text(
		b,
		22,
		y+14,
		"",
		fmt.Sprintf("%s, platforms: %d, against %s", v.project, len(v.platforms.list()), v.against.contender),
	)
	fmt.Fprintf(
		b,
		`<rect class="%s" x="%d" y="%d" width="%d" height="12"/>`+"\n",
		class,
		chartLabel,
		y+4,
		at(v.measured.Median)-chartLabel,
	)
	fmt.Fprintf(
		b,
		`<line class="spread" x1="%d" y1="%[2]d" x2="%d" y2="%[2]d"/>`+"\n",
		at(v.measured.Min),
		y+10,
		at(v.measured.Max),
	)
	fmt.Fprintf(b, `<line class="goal" x1="%[1]d" y1="%[2]d" x2="%[1]d" y2="%[3]d"/>`+"\n", at(v.limit), y+2, y+18)
	text(b, at(chartMost)+16, y+14, "", v.show(v.measured.Median))
}

func text(b *strings.Builder, x, y int, class, s string) {
	if class != "" {
		class = ` class="` + class + `"`
	}
	fmt.Fprintf(b, `<text x="%d" y="%d"%s>`, x, y, class)
	_ = xml.EscapeText(b, []byte(s)) // a strings.Builder takes everything
	b.WriteString("</text>\n")
}
