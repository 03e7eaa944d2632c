package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// Figures are what is measured of one run.
type Figures struct {
	// Wall is the time from the start of the command to its end.
	Wall float64 `json:"wall_s"`
	// CPU is the time that the machine's cores were busy in the meantime, whoever kept them so.
	CPU float64 `json:"cpu_s"`
	// Steps are the vertices that ran, and Execs those of them that executed a command; see [parseTrace].
	Steps int `json:"steps"`
	Execs int `json:"execs"`
	// Frontend is the time in the frontend; see [parseTrace].
	Frontend float64 `json:"frontend_s"`
	// Pushed is the size of all that was uploaded, of it PushedApp the layers over the base, PushedBase those of the base.
	// The rest are configurations, manifests and attestations.
	Pushed     int64 `json:"pushed_bytes"`
	PushedApp  int64 `json:"pushed_app_bytes"`
	PushedBase int64 `json:"pushed_base_bytes"`
	// Cache is the size of the blobs that the exported cache names, those of images included.
	Cache int64 `json:"cache_bytes"`
	// Images and Apps are the sizes of whole images and of their layers over the base, compressed, by platform.
	Images map[string]int64 `json:"image_bytes"`
	Apps   map[string]int64 `json:"app_bytes"`
	// Changed is the size of the layers over the base that the run before did not have, ChangedLayers their number. What
	// several platforms share counts once.
	Changed       int64 `json:"changed_bytes"`
	ChangedLayers int   `json:"changed_layers"`
}

// timed measures what f takes.
func timed(f func() error) (wall, cpu float64, err error) {
	before, err := busy()
	if err != nil {
		return 0, 0, err
	}
	start := time.Now()
	err = f()
	wall = time.Since(start).Seconds()
	if err != nil {
		return 0, 0, err
	}
	after, err := busy()
	return wall, after - before, err
}

// busy gives the seconds that all cores together were not idle since the machine started.
func busy() (float64, error) {
	dt, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	return parseBusy(dt)
}

// parseBusy adds up the first line of /proc/stat, which counts in hundredths of a second for all programs to see: user,
// nice, system, idle, iowait, irq, softirq, steal, and what is part of user and nice already.
func parseBusy(stat []byte) (float64, error) {
	line, _, _ := bytes.Cut(stat, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) < 8 || string(fields[0]) != "cpu" {
		return 0, fmt.Errorf("unexpected /proc/stat: %q", line)
	}
	var ticks float64
	for _, i := range []int{1, 2, 3, 6, 7} {
		n, err := strconv.ParseUint(string(fields[i]), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("unexpected /proc/stat: %w", err)
		}
		ticks += float64(n)
	}
	return ticks / 100, nil
}
