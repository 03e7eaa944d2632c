// Package site tests the documentation as a reader has it: the links in all pages of the repository, here, and the web
// site that is made of docs, in package browser.
package site

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// A page is what other pages may link to, and what it links to.
type page struct {
	anchors map[string]bool
	links   []link
}

type link struct {
	line int
	to   string
}

var (
	fence     = regexp.MustCompile("^ {0,3}(```+|~~~+)")
	heading   = regexp.MustCompile(`^ {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$`)
	reference = regexp.MustCompile(`^ {0,3}\[[^\]]+\]:[ \t]+<?([^\s>]+)>?`)
	comment   = regexp.MustCompile(`(?s)<!--.*?-->`)
	code      = regexp.MustCompile("(?s)(``+|`).*?[^`](``+|`)")
	// What follows the text of a link, which may hold an image with a link of its own.
	destination = regexp.MustCompile(`\]\((?:<([^<>\n]*)>|([^\s()<>]+))(?:\s+"[^"]*")?\)`)
	text        = regexp.MustCompile(`!?\[([^\[\]]*)\]\([^()]*\)`)
)

// read finds the anchors and links of a page: it knows the Markdown that is used here, and no more.
func read(markdown string) page {
	p := page{anchors: map[string]bool{}}
	var prose strings.Builder // the page without blocks of code, line by line
	closing := ""
	for line := range strings.Lines(markdown) {
		m := fence.FindStringSubmatch(line)
		switch {
		case closing != "":
			if m != nil && strings.HasPrefix(m[1], closing) {
				closing = ""
			}
			line = "\n"
		case m != nil:
			closing, line = m[1], "\n"
		}
		prose.WriteString(line)
	}
	rest := comment.ReplaceAllStringFunc(prose.String(), blank)
	for line := range strings.Lines(rest) {
		if m := heading.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			p.addAnchor(m[1])
		}
	}
	rest = code.ReplaceAllStringFunc(rest, blank)
	for _, m := range destination.FindAllStringSubmatchIndex(rest, -1) {
		from, to := m[2], m[3]
		if from < 0 {
			from, to = m[4], m[5]
		}
		p.links = append(p.links, link{1 + strings.Count(rest[:m[0]], "\n"), rest[from:to]})
	}
	n := 0
	for line := range strings.Lines(rest) {
		n++
		if m := reference.FindStringSubmatch(line); m != nil {
			p.links = append(p.links, link{n, m[1]})
		}
	}
	return p
}

// blank takes a text out and leaves the lines.
func blank(s string) string { return strings.Repeat("\n", strings.Count(s, "\n")) }

// addAnchor adds the anchor that GitHub gives a heading.
func (p page) addAnchor(heading string) {
	slug := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.Pc):
			return unicode.ToLower(r)
		}
		return -1
	}, text.ReplaceAllString(heading, "$1"))
	anchor := slug
	for i := 1; p.anchors[anchor]; i++ {
		anchor = slug + "-" + strconv.Itoa(i)
	}
	p.anchors[anchor] = true
}

// A reader reads the pages of a repository, each once.
type reader struct {
	root  string
	pages map[string]page
}

func (r *reader) read(name string) (page, error) {
	if p, ok := r.pages[name]; ok {
		return p, nil
	}
	dt, err := os.ReadFile(filepath.Join(r.root, name))
	if err != nil {
		return page{}, err
	}
	if r.pages == nil {
		r.pages = map[string]page{}
	}
	r.pages[name] = read(string(dt))
	return r.pages[name], nil
}

// check returns an error if a link of a page leads nowhere. Links to other sites are not followed.
func (r *reader) check(name, to string) error {
	u, err := url.Parse(to)
	switch {
	case err != nil:
		return err
	case u.IsAbs():
		return nil
	case u.Host != "" || strings.HasPrefix(u.Path, "/"):
		return fmt.Errorf("%s is no relative link", to)
	}
	target := name
	if u.Path != "" {
		target = filepath.Join(filepath.Dir(name), u.Path)
	}
	if !filepath.IsLocal(target) {
		return fmt.Errorf("%s leads out of the repository", to)
	}
	if _, err := os.Stat(filepath.Join(r.root, target)); err != nil {
		return fmt.Errorf("dead link %s", to)
	}
	if u.Fragment == "" || filepath.Ext(target) != ".md" {
		return nil
	}
	p, err := r.read(target)
	if err != nil {
		return err
	}
	if !p.anchors[u.Fragment] {
		return fmt.Errorf("no heading for #%s in %s", u.Fragment, target)
	}
	return nil
}
