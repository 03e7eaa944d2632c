package accounts

import "strings"

// table is a file of lines whose fields are separated by colons.
type table struct {
	there   bool
	data    []byte
	lines   []*line
	changed bool
}

// line is a line of a table.
type line struct{ fields []string }

func newTable(data []byte) *table {
	t := &table{there: data != nil, data: data}
	if len(data) == 0 {
		return t
	}
	for text := range strings.SplitSeq(strings.TrimSuffix(string(data), "\n"), "\n") {
		t.lines = append(t.lines, &line{strings.Split(text, ":")})
	}
	return t
}

// bytes is the file; nil if there is none.
func (t *table) bytes() []byte {
	if !t.changed {
		return t.data
	}
	var data []byte
	for _, l := range t.lines {
		data = append(append(data, strings.Join(l.fields, ":")...), '\n')
	}
	return data
}

// add adds a line, and makes the file if there is none.
func (t *table) add(fields ...string) {
	t.there, t.changed = true, true
	t.lines = append(t.lines, &line{fields})
}

// named gives the first line with a name; nil if there is none.
func (t *table) named(name string) *line { return t.first(nameField, name) }

// numbered gives the first line with a number; nil if there is none.
func (t *table) numbered(id string) *line { return t.first(idField, id) }

// find gives the line with a name or a number. A number is never a name.
func (t *table) find(nameOrID string) *line {
	if nameOrID != "" && strings.Trim(nameOrID, "0123456789") == "" {
		return t.numbered(nameOrID)
	}
	return t.named(nameOrID)
}

func (t *table) first(field int, value string) *line {
	for _, l := range t.lines {
		if len(l.fields) > idField && l.field(field) == value {
			return l
		}
	}
	return nil
}

func (l *line) name() string { return l.field(nameField) }

// field is a field of a line, empty if the line is too short.
func (l *line) field(i int) string {
	if i >= len(l.fields) {
		return ""
	}
	return l.fields[i]
}

// join adds a member to the group of a line. A nil line is no group.
func (t *table) join(l *line, name string) {
	if l == nil {
		return
	}
	for len(l.fields) <= members {
		l.fields = append(l.fields, "")
	}
	list := l.fields[members]
	for member := range strings.SplitSeq(list, ",") {
		if member == name {
			return
		}
	}
	if list != "" {
		list += ","
	}
	l.fields[members] = list + name
	t.changed = true
}
