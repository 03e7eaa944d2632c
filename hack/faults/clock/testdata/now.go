// Command now prints the time of its clock, and how long a moment was, for each line that it reads.
package main

import (
	"os"
	"time"
)

func main() {
	line := make([]byte, 1)
	for began := time.Now(); ; began = time.Now() {
		if n, _ := os.Stdin.Read(line); n == 0 {
			return
		}
		println(time.Now().Unix(), time.Since(began).Round(time.Minute))
	}
}
