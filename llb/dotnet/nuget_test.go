package dotnet

import (
	"fmt"
	"strings"
	"testing"
)

func TestNuGetSettings(t *testing.T) {
	off := false
	names := NuGetNames{Config: "/nuget.config", Password: "FEED_", Username: "any", CA: "/ca/ca.pem"}
	feed := Feed{Name: "lan", Source: "http://lan/index.json"}
	for _, tc := range []struct {
		name string
		in   NuGet
		want string // the settings, one a line
	}{
		{"nothing", NuGet{}, ""},
		{"secrets by variable", NuGet{Secrets: map[string]string{"B": "b", "A": "a"}},
			"env A of secret a\nenv B of secret b"},
		{"a feed without a password", NuGet{Feeds: []Feed{feed}}, "config"},
		{"passwords after other secrets",
			NuGet{Feeds: []Feed{feed, {Name: "hub", PasswordSecret: "token"}}, Secrets: map[string]string{"Z": "z"}},
			"config\nenv Z of secret z\nenv FEED_1 of secret token"},
		{"a configuration", NuGet{ConfigSecret: "x"},
			"file /run/secrets/nuget.config of secret x\n" +
				"file /nuget.config of secret x\n-p:RestoreConfigFile=/run/secrets/nuget.config"},
		{"locked mode", NuGet{LockedMode: new(true)}, "-p:RestoreLockedMode=true"},
		{"no locked mode", NuGet{LockedMode: new(false)}, "-p:RestoreLockedMode=false"},
		{"no audit", NuGet{Audit: &off}, "-p:NuGetAudit=false"},
		{"certificates", NuGet{CA: "certs/ca.pem"}, "file /ca/ca.pem is certs/ca.pem\nenv SSL_CERT_FILE=/ca/ca.pem"},
		{"secret certificates", NuGet{CASecret: "ca", CA: "unused"},
			"file /run/secrets/ca.pem of secret ca\nenv SSL_CERT_FILE=/run/secrets/ca.pem"},
	} {
		s, err := tc.in.Settings(names)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		if s.Config != nil {
			lines = append(lines, "config")
		}
		add := func(format string, kvs []KeyValue) {
			for _, kv := range kvs {
				lines = append(lines, fmt.Sprintf(format, kv.Key, kv.Value))
			}
		}
		add("env %s of secret %s", s.SecretEnv)
		add("file %s of secret %s", s.SecretFiles)
		add("file %s is %s", s.Files)
		add("env %s=%s", s.Env)
		if got := strings.Join(append(lines, s.Args()...), "\n"); got != tc.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tc.name, got, tc.want)
		}
	}
}

func TestNuGetConfig(t *testing.T) {
	n := NuGet{Feeds: []Feed{
		{"hub", "https://hub.example.com/index.json", "me & you", "token"},
		{"lan", "http://lan/index.json", "", ""},
		{"other", "", "", "token"},
	}}
	s, err := n.Settings(NuGetNames{Password: "FEED_", Username: "any"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<add key="hub" value="https://hub.example.com/index.json">`,
		`<add key="lan" value="http://lan/index.json" allowInsecureConnections="true">`,
		"<hub>", `value="me &amp; you"`, `key="ClearTextPassword" value="%FEED_0%"`,
		"<other>", `value="any"`, `value="%FEED_2%"`,
	} {
		if !strings.Contains(string(s.Config), want) {
			t.Errorf("no %s in\n%s", want, s.Config)
		}
	}
	for _, not := range []string{"<lan>", `key="other"`, "token"} {
		if strings.Contains(string(s.Config), not) {
			t.Errorf("%s is in\n%s", not, s.Config)
		}
	}
}
