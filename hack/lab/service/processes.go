package service

import (
	"os"
	"path/filepath"
	"strings"
)

// Statuses gives /proc/PID/status (proc_pid_status(5)) of each process whose command line begins with a program. A
// process that ends meanwhile is left out.
func Statuses(program string) ([]string, error) {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil, err
	}
	var all []string
	for _, file := range files {
		if dt, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(dt), program+"\x00") {
			continue
		}
		if dt, err := os.ReadFile(filepath.Join(filepath.Dir(file), "status")); err == nil {
			all = append(all, string(dt))
		}
	}
	return all, nil
}
