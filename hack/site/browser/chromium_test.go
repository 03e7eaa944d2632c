// Package browser looks at the site of the docs as a reader does: in a browser.
package browser

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// chromium is a headless Chromium with one tab, which is told by pipe what to do: one command after the other.
type chromium struct {
	in      *os.File
	out     *bufio.Reader
	session string // of the tab
	id      int
	wrong   []string // what the console of the tab said is wrong
}

// startChromium starts Chromium, and ends it with the test. It reaches no address but this machine's.
func startChromium(t *testing.T) *chromium {
	t.Helper()
	commands, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, answers, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(
		t.Context(),
		"chromium",
		"--headless",
		"--no-sandbox", // it has none for root
		"--disable-dev-shm-usage",
		"--disable-gpu",
		"--hide-scrollbars",
		"--log-level=3",
		"--user-data-dir="+t.TempDir(),
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
		"--remote-debugging-pipe", // file descriptors 3 and 4
		"about:blank",
	)
	cmd.ExtraFiles = []*os.File{commands, answers}
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = commands.Close(), answers.Close()
	c := &chromium{in: in, out: bufio.NewReader(out)}
	t.Cleanup(func() {
		_ = c.call("Browser.close", nil, nil)
		_ = in.Close()
		_ = cmd.Wait()
		_ = out.Close()
		if t.Failed() {
			t.Logf("chromium printed\n%s", &stderr)
		}
	})
	var tab struct {
		TargetID  string `json:"targetId"`
		SessionID string `json:"sessionId"`
	}
	c.must(t, "Target.createTarget", args{"url": "about:blank"}, &tab)
	c.must(t, "Target.attachToTarget", args{"targetId": tab.TargetID, "flatten": true}, &tab)
	c.session = tab.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log"} {
		c.must(t, domain+".enable", nil, nil)
	}
	return c
}

type args map[string]any

// call has Chromium do something, and waits until it has.
func (c *chromium) call(method string, params args, result any) error {
	c.id++
	request := args{"id": c.id, "method": method}
	if params != nil {
		request["params"] = params
	}
	if c.session != "" && !strings.HasPrefix(method, "Browser.") {
		request["sessionId"] = c.session
	}
	dt, err := json.Marshal(request)
	if err != nil {
		return err
	}
	if _, err := c.in.Write(append(dt, 0)); err != nil {
		return err
	}
	for {
		dt, err := c.out.ReadBytes(0)
		if err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
		var m struct {
			ID     int
			Error  *struct{ Message string }
			Result json.RawMessage
			Method string
			Params json.RawMessage
		}
		if err := json.Unmarshal(dt[:len(dt)-1], &m); err != nil {
			return err
		}
		switch {
		case m.ID == 0:
			c.listen(m.Method, m.Params)
		case m.ID != c.id:
		case m.Error != nil:
			return fmt.Errorf("%s: %s", method, m.Error.Message)
		case result != nil:
			return json.Unmarshal(m.Result, result)
		default:
			return nil
		}
	}
}

func (c *chromium) must(t *testing.T, method string, params args, result any) {
	t.Helper()
	if err := c.call(method, params, result); err != nil {
		t.Fatal(err)
	}
}

// listen notes what the console of the browser shows as an error or as a warning.
func (c *chromium) listen(event string, params json.RawMessage) {
	var p struct {
		Type  string
		Entry struct{ Level string }
	}
	if err := json.Unmarshal(params, &p); err != nil {
		c.wrong = append(c.wrong, err.Error())
		return
	}
	switch {
	case event == "Runtime.exceptionThrown",
		event == "Runtime.consoleAPICalled" && (p.Type == "error" || p.Type == "warning"),
		event == "Log.entryAdded" && (p.Entry.Level == "error" || p.Entry.Level == "warning"):
		c.wrong = append(c.wrong, string(params))
	}
}

// open opens an address, and waits until what the page runs has started.
func (c *chromium) open(t *testing.T, address string) {
	t.Helper()
	var navigated struct{ ErrorText string }
	c.must(t, "Page.navigate", args{"url": address}, &navigated)
	if navigated.ErrorText != "" {
		t.Fatalf("%s: %s", address, navigated.ErrorText)
	}
	c.eval(t, `new Promise((resolve) => {
		const look = () => document.readyState === 'complete' && document.querySelector('#app')?.__vue_app__
			? setTimeout(resolve) : setTimeout(look, 10)
		look()
	})`, nil)
}

// resize makes the window as a reader has it, and waits until the page has followed.
func (c *chromium) resize(t *testing.T, v view) {
	t.Helper()
	c.must(t, "Emulation.setDeviceMetricsOverride",
		args{"width": v.width, "height": 844, "deviceScaleFactor": 1, "mobile": v.width < 500}, nil)
	c.must(t, "Emulation.setEmulatedMedia",
		args{"features": []args{{"name": "prefers-color-scheme", "value": v.scheme}}}, nil)
	c.eval(t, `new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))`, nil)
}

// eval gives what an expression of JavaScript, or the promise that it makes, comes to in the tab.
func (c *chromium) eval(t *testing.T, expression string, result any) {
	t.Helper()
	var evaluated struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	c.must(t, "Runtime.evaluate",
		args{"expression": expression, "awaitPromise": true, "returnByValue": true}, &evaluated)
	if evaluated.ExceptionDetails != nil {
		t.Fatalf("%s: %s", expression, evaluated.ExceptionDetails)
	}
	if result == nil {
		return
	}
	if err := json.Unmarshal(evaluated.Result.Value, result); err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
}

// quiet fails the test if the console showed something since wrong was last empty.
func (c *chromium) quiet(t *testing.T) {
	t.Helper()
	if len(c.wrong) > 0 {
		t.Errorf("the console has %s", strings.Join(c.wrong, "\n"))
	}
}

// picture writes a PNG of what the tab shows.
func (c *chromium) picture(t *testing.T, file string) {
	t.Helper()
	var shot struct{ Data string }
	c.must(t, "Page.captureScreenshot", args{"captureBeyondViewport": true}, &shot)
	dt, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, dt, 0o644); err != nil {
		t.Fatal(err)
	}
}
