package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/crosshull/crosshull/frontend/printable"
)

// Graph is the answer of --call=graph: what projects reference, and what steps wait for.
type Graph struct {
	Projects []Node `json:"projects"`
	Steps    []Node `json:"steps"`
}

// Node is a project or a step.
type Node struct {
	Name string `json:"name"`
	// After are the names of what it references or waits for.
	After []string `json:"after,omitempty"`
}

// Project adds a project, once.
func (g *Graph) Project(name string, references []string) {
	g.Projects = add(g.Projects, name, references)
}

// Step adds a step, once. A name in after that is not a step is an image.
func (g *Graph) Step(name string, after []string) { g.Steps = add(g.Steps, name, after) }

func add(nodes []Node, name string, after []string) []Node {
	if slices.ContainsFunc(nodes, func(n Node) bool { return n.Name == name }) {
		return nodes
	}
	return append(nodes, Node{name, after})
}

// WriteText writes the graph as Mermaid.
func (g *Graph) WriteText(w io.Writer) error {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	write(&b, "p", "projects", g.Projects)
	write(&b, "s", "steps", g.Steps)
	_, err := io.WriteString(w, b.String())
	return err
}

// write writes a subgraph, whose nodes have ids that begin with prefix.
func write(b *strings.Builder, prefix, title string, nodes []Node) {
	ids := map[string]string{}
	id := func(name, shape string) string {
		if _, ok := ids[name]; !ok {
			ids[name] = fmt.Sprintf("%s%d", prefix, len(ids))
			fmt.Fprintf(b, "    %s"+shape+"\n", ids[name], label(name))
		}
		return ids[name]
	}
	fmt.Fprintf(b, "  subgraph %s\n", title)
	for _, n := range nodes {
		id(n.Name, "[%s]")
	}
	for _, n := range nodes {
		for _, after := range n.After {
			fmt.Fprintf(b, "    %s --> %s\n", id(after, "([%s])"), id(n.Name, "[%s]"))
		}
	}
	b.WriteString("  end\n")
}

// entities escapes the characters that mean something to Mermaid, so that entities and Markdown in a name stay text.
var entities = strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "`", "#96;")

// label is a text that Mermaid takes as it is.
func label(s string) string {
	return `"` + entities.Replace(printable.Text(s)) + `"`
}
