package spec

import "fmt"

// accounts checks that no two users or groups of a list have the same name or number. It ignores other lists.
func (d *decoder) accounts(path string, list any) {
	seen := map[string]int{}
	once := func(i int, key, value string) {
		at := d.into.Range(join(path, fmt.Sprintf("%d.%s", i, key)))
		line, ok := seen[key+value]
		if !ok {
			seen[key+value] = at.Start
		} else if value != "" {
			const has = "%s.%d.%s %s: the entry on line %d has it too"
			d.fail(at, fmt.Sprintf(has, where(path), i, key, show(value), line))
		}
	}
	switch list := list.(type) {
	case []User:
		for i, u := range list {
			once(i, "name", u.Name)
			once(i, "uid", u.UID)
		}
	case []Group:
		for i, g := range list {
			once(i, "name", g.Name)
			once(i, "gid", g.GID)
		}
	}
}
