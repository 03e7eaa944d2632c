package machine

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// FreePort gives a port that nothing listens on.
func FreePort() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return ln.Addr().(*net.TCPAddr).Port, ln.Close()
}

// Serve is the command that starts a container of an image of a web app, in the background. The app then listens on the
// port of this machine.
func (d *Docker) Serve(name, image string, port int) []string {
	args := []string{"docker", "run", "--detach", "--name", name}
	if d.Network == "" {
		args = append(args, "--publish", fmt.Sprintf("127.0.0.1:%d:8080", port))
	} else {
		args = append(args, "--network", d.Network, "--env", fmt.Sprintf("ASPNETCORE_HTTP_PORTS=%d", port))
	}
	return append(args, image)
}

// Page gets the page of a web app on this machine as soon as the app answers, for half a minute at most.
func Page(ctx context.Context, port int) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	url := "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for {
		page, err := get(ctx, url)
		if err == nil {
			return page, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("no page within 30 s: %w", err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func get(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	page, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("get %s: %s", url, resp.Status)
	}
	return string(page), err
}
