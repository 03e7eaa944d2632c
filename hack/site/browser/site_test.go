package browser

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crosshull/crosshull/hack/lab/apt"
)

// pictures: go test ./site/browser -pictures FOLDER
var pictures = flag.String("pictures", "", "folder for a picture of each page")

var (
	root    = filepath.Join("..", "..", "..")
	heading = regexp.MustCompile(`(?m)^# +(.+)$`)
)

// a view is how a reader has the site in front of them.
type view struct {
	width  int
	scheme string
}

var views = []view{{1280, "light"}, {390, "dark"}}

// shown is what a page has in the browser.
type shown struct {
	Heading string
	Width   int      // of all that can be scrolled to
	Wide    []string // elements that are wider than the window
	Dark    bool
	Anchors []string
	Links   []string // to pages of the site
}

const look = `(() => {
	const within = (e) => { // what scrolls by itself
		for (; e; e = e.parentElement) if (getComputedStyle(e).overflowX !== 'visible') return true
		return false
	}
	return {
		heading: document.querySelector('main h1')?.innerText.replace(/[\u200b\s]+/g, ' ').trim() ?? '',
		width: document.documentElement.scrollWidth,
		wide: [...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 &&
			!within(e)).map((e) => e.outerHTML.slice(0, 200)),
		dark: document.documentElement.classList.contains('dark'),
		anchors: [...document.querySelectorAll('[id]')].map((e) => e.id),
		links: [...document.links].map((a) => a.href).filter((h) => h.startsWith(location.origin)),
	}
})()`

// make site makes a site that a reader can use: each page of docs has its heading, fits on a telephone, follows the
// browser into the dark and makes no noise in its console; each link leads to a page and a heading; the search finds.
func TestSite(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the site and starts a browser")
	}
	install(t, "npm", "chromium")
	build := exec.CommandContext(t.Context(), "make", "site")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("make site: %v\n%s", err, out)
	}
	srv := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(root, "dist", "site"))))
	defer srv.Close()
	c := startChromium(t)

	pages := map[string]shown{}
	for address, want := range headings(t) {
		t.Run(address, func(t *testing.T) {
			c.wrong = nil
			c.resize(t, views[0])
			c.open(t, srv.URL+"/"+address)
			for _, v := range views {
				c.resize(t, v)
				var got shown
				c.eval(t, look, &got)
				got.check(t, want, v)
				pages[address] = got
				if *pictures != "" {
					c.picture(t, filepath.Join(*pictures,
						fmt.Sprintf("site-%s-%d-%s.png", strings.ReplaceAll(address, "/", "-"), v.width, v.scheme)))
				}
			}
			c.quiet(t)
		})
	}
	for address, p := range pages {
		for _, link := range p.Links {
			link, err := url.PathUnescape(strings.TrimPrefix(link, srv.URL+"/"))
			if err != nil {
				t.Fatal(err)
			}
			to, anchor, _ := strings.Cut(link, "#")
			target, ok := pages[cmp.Or(to, "index.html")]
			if !ok || anchor != "" && !slices.Contains(target.Anchors, anchor) {
				t.Errorf("%s has a dead link to %s#%s", address, to, anchor)
			}
		}
	}
	t.Run("search", func(t *testing.T) { search(t, c, srv.URL) })
}

// install brings programs that are missing out of Debian's packages of the same name.
func install(t *testing.T, programs ...string) {
	t.Helper()
	programs = slices.DeleteFunc(programs, func(name string) bool {
		_, err := exec.LookPath(name)
		return err == nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if err := apt.Ensure(ctx, os.Stderr, programs...); err != nil {
		t.Fatal(err)
	}
}

// check holds a page against what it is to have.
func (s shown) check(t *testing.T, heading string, v view) {
	t.Helper()
	if s.Heading != heading {
		t.Errorf("the heading is %q, want %q", s.Heading, heading)
	}
	if s.Width > v.width || len(s.Wide) > 0 {
		t.Errorf("it is %d wide in a window of %d: %s", s.Width, v.width, strings.Join(s.Wide, "\n"))
	}
	if s.Dark != (v.scheme == "dark") {
		t.Errorf("it is dark: %t, and the browser asks for %s", s.Dark, v.scheme)
	}
}

// headings gives the first heading of each page of the site, by its address: nothing of docs is left out.
func headings(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	add := func(file, address string) error {
		dt, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		m := heading.FindStringSubmatch(string(dt))
		if m == nil {
			return fmt.Errorf("%s has no heading", file)
		}
		out[address] = strings.ReplaceAll(m[1], "`", "")
		return nil
	}
	docs := filepath.Join(root, "docs")
	err := filepath.WalkDir(docs, func(file string, _ fs.DirEntry, err error) error {
		name, isPage := strings.CutSuffix(file, ".md")
		if err != nil || !isPage {
			return err
		}
		name, err = filepath.Rel(docs, name)
		if err != nil {
			return err
		}
		return add(file, filepath.ToSlash(name)+".html")
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := add(filepath.Join(root, "README.md"), "index.html"); err != nil {
		t.Fatal(err)
	}
	return out
}

// search looks for a word as a reader does, and wants the page that is about it.
func search(t *testing.T, c *chromium, address string) {
	c.wrong = nil
	c.resize(t, views[0])
	c.open(t, address+"/")
	var found []string
	c.eval(t, `new Promise((resolve, reject) => {
		document.querySelector('#local-search button').click()
		setTimeout(() => reject(new Error('nothing is found')), 10000)
		const look = () => {
			const input = document.querySelector('#localsearch-input')
			if (input && !input.value) {
				input.value = 'architecture'
				input.dispatchEvent(new Event('input', { bubbles: true }))
			}
			const found = [...document.querySelectorAll('#localsearch-list a')].map((a) => a.href)
			found.length > 0 ? resolve(found) : setTimeout(look, 50)
		}
		look()
	})`, &found)
	want := address + "/concepts/architecture.html"
	if !slices.ContainsFunc(found, func(link string) bool { return strings.HasPrefix(link, want) }) {
		t.Errorf("found is %v, without %s", found, want)
	}
	c.quiet(t)
}
