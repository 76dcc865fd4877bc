package video

import (
	"strings"
	"testing"
)

func TestThePartsAreLookedAtOneByOne(t *testing.T) {
	m := newMaker(t, func(*Config) {})
	if version, err := m.Tools(t.Context()); err != nil || version == "" {
		t.Errorf("got %q, %v; want ffmpeg's version", version, err)
	}
	if pkg, here := m.Font(); pkg != wantedPackage || !here {
		t.Errorf("got %s, %v; want the font of the templates", pkg, here)
	}
	if warnings, err := TryTemplate(t.Context(), m.cfg, "birthday", "Emma", "en"); err != nil || len(warnings) > 0 {
		t.Errorf("got %q, %v; want a picture without a word", warnings, err)
	}
	if _, err := TryTemplate(t.Context(), m.cfg, "birthday", "\U00012000", "en"); err == nil ||
		!strings.Contains(err.Error(), "no font") {
		t.Errorf("a name that no font has: got %v", err)
	}
	if _, err := TryTemplate(t.Context(), m.cfg, "easter", "Emma", "en"); err == nil ||
		!strings.Contains(err.Error(), "unknown template") {
		t.Errorf("a template that is not there: got %v", err)
	}
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"a program that is there": {func(c *Config) { c.Engine, c.Command = EngineCommand, []string{"true"} }, ""},
		"a program that is not": {func(c *Config) { c.Engine, c.Command = EngineCommand, []string{"/none/x"} },
			"change render.command"},
		"a service that is not there": {func(c *Config) { c.Engine, c.URL = EngineHTTP, "http://127.0.0.1:1/x" },
			"nobody answers at 127.0.0.1:1"},
		"the templates of ours": {func(*Config) {}, ""},
	} {
		if err := newMaker(t, c.change).Engine(t.Context()); (err == nil) != (c.want == "") ||
			err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v; want %q", name, err, c.want)
		}
	}
}
