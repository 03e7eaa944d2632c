package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var versionTag = regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-labs\.([1-9]\d*))?$`)

// version is a version of crosshull: major, minor and patch, and the number of the labs version, or 0.
type version [4]int

func parse(tag string) (version, error) {
	var v version
	m := versionTag.FindStringSubmatch(tag)
	if m == nil {
		return v, fmt.Errorf("%q is no version: it must be like v1.2.3 or v1.2.3-labs.1", tag)
	}
	for i, digits := range m[1:] {
		if digits == "" {
			continue
		}
		n, err := strconv.Atoi(digits)
		if err != nil {
			return v, fmt.Errorf("version %q: %w", tag, err)
		}
		v[i] = n
	}
	return v, nil
}

func (v version) isLabs() bool { return v[3] > 0 }

func (v version) String() string {
	s := fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2])
	if v.isLabs() {
		s += fmt.Sprintf("-labs.%d", v[3])
	}
	return s
}

// tags returns the tags of the image. The first one is for this version alone. A tag such as 1.2 or 1 moves to it only
// if no newer version of the same kind has that tag already, so that a late fix for an old version takes nobody back.
// all are the tags of git; those that are no versions do not count.
func (v version) tags(all []string) []string {
	tags := []string{v.String()}
	for _, parts := range []int{2, 1} {
		newest := !slices.ContainsFunc(all, func(tag string) bool {
			o, err := parse(tag)
			return err == nil && o.isLabs() == v.isLabs() && slices.Equal(o[:parts], v[:parts]) &&
				slices.Compare(o[:], v[:]) > 0
		})
		if !newest {
			continue
		}
		tag := strings.Join(strings.Split(v.String(), ".")[:parts], ".")
		if v.isLabs() {
			tag += "-labs"
		}
		tags = append(tags, tag)
	}
	return tags
}

// notes returns the section of a change log for the version. Before a labs version the section is still called
// Unreleased.
func (v version) notes(changelog string) (string, error) {
	name := v.String()
	found, text := section(changelog, name)
	if !found && v.isLabs() {
		name = "Unreleased"
		found, text = section(changelog, name)
	}
	switch {
	case !found:
		return "", fmt.Errorf("the change log has no section %q: rename Unreleased", "## "+name)
	case text == "":
		return "", fmt.Errorf("section %q of the change log is empty", "## "+name)
	}
	return text, nil
}

// section returns the text below a heading such as "## 1.2.3", "## 1.2.3 - 2027-01-31" or "## [1.2.3] - 2027-01-31".
func section(changelog, name string) (found bool, text string) {
	var lines []string
	for line := range strings.Lines(changelog) {
		heading, ok := strings.CutPrefix(line, "## ")
		switch {
		case ok && found:
			return found, strings.TrimSpace(strings.Join(lines, ""))
		case ok:
			first := strings.Fields(heading + " ?")[0]
			found = strings.Trim(first, "[]") == name
		case found:
			lines = append(lines, line)
		}
	}
	return found, strings.TrimSpace(strings.Join(lines, ""))
}
