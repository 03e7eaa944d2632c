package scaffold

import (
	"fmt"
	"regexp"
	"strings"
)

// ofUsers is what a spec needs for a command that adds a user or a group; nil for another command.
func ofUsers(words []string) *Need {
	switch words[0] {
	case "groupadd", "addgroup":
		return &Need{Key: "image.groups", Advice: entry(words, "gid", groupOptions)}
	case "useradd":
		return &Need{Key: "image.users", Advice: entry(words, "uid", useraddOptions)}
	case "adduser":
		return &Need{Key: "image.users", Advice: entry(words, "uid", adduserOptions)}
	case "usermod", "passwd", "chpasswd":
		return &Need{Key: "image.users", Advice: "write all about the user into one entry; its password is always locked"}
	}
	return nil
}

// The keys of an entry for the options of commands. A key that begins with * is for a list. An option with an empty key
// has a value that no entry needs.
var (
	groupOptions = map[string]string{"-g": "gid", "--gid": "gid"}
	// useradd of shadow-utils.
	useraddOptions = map[string]string{
		"-u": "uid", "--uid": "uid", "-g": "gid", "--gid": "gid", "-G": "*groups", "--groups": "*groups",
		"-d": "home", "--home": "home", "--home-dir": "home", "-s": "shell", "--shell": "shell",
		"-c": "", "--comment": "", "-p": "", "--password": "", "-k": "", "--skel": "", "-e": "", "-f": "", "-K": "",
	}
	// adduser of Debian, and that of busybox, whose options are short.
	adduserOptions = map[string]string{
		"-u": "uid", "--uid": "uid", "--gid": "gid", "--ingroup": "gid", "-G": "gid", "-h": "home", "--home": "home",
		"-s": "shell", "--shell": "shell", "-g": "", "--gecos": "", "-k": "", "--comment": "",
	}
)

var (
	accountName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,31}$`)
	entryValue  = regexp.MustCompile(`^[A-Za-z0-9_./,-]+$`)
)

// entry is the entry of the spec that does the same as a command. If the command does not say the number, or says it
// with a variable, entry is what to write instead.
func entry(words []string, number string, options map[string]string) string {
	values := map[string]string{}
	name := ""
	for i := 1; i < len(words); i++ {
		option, value, with := strings.Cut(words[i], "=")
		if !strings.HasPrefix(option, "-") {
			if name == "" { // adduser USER GROUP
				name = words[i]
			}
			continue
		}
		if short := strings.TrimLeft(option, "-"); len(option) == len(short)+1 && short != "" { // -ms SHELL
			option = "-" + short[len(short)-1:]
		}
		key, known := options[option]
		if !known {
			continue // a switch
		}
		if !with {
			if i++; i == len(words) {
				break
			}
			value = words[i]
		}
		values[key] = value
	}
	if !accountName.MatchString(name) {
		return "an entry such as {name: shop, " + number + ": 10001}"
	}
	id := values[number]
	if strings.Trim(id, "0123456789") != "" || id == "" {
		return fmt.Sprintf("an entry such as {name: %s, %s: 10001}, as the number is needed", name, number)
	}
	text := fmt.Sprintf("{name: %s, %s: %s", name, number, id)
	for _, key := range []string{"gid", "*groups", "home", "shell"} {
		value := values[key]
		if key == number || value == "" || !entryValue.MatchString(value) {
			continue
		}
		if list, ok := strings.CutPrefix(key, "*"); ok {
			text += fmt.Sprintf(", %s: [%s]", list, strings.ReplaceAll(value, ",", ", "))
		} else {
			text += fmt.Sprintf(", %s: %s", key, value)
		}
	}
	return text + "}"
}
