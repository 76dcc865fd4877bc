package check

import (
	"context"
	"strings"
	"testing"
)

func TestFFmpeg_WithKnownHolesIsNamed(t *testing.T) {
	for version, want := range map[string]Level{
		"5.1.9-0+deb12u1": OK, "7.1.4-0+deb13u1": OK, "6.1.1-3ubuntu5": OK, "8.1.2": OK, "8.1.10": OK, "n8.2": OK, "9.0": OK,
		"10.0.1": OK, "N-121000-g0123456789": OK,
		"8.1.1": Warning, "8.1": Warning, "n7.1.4": Warning, "7.0.2-static": Warning, "4.4": Warning,
	} {
		p := Parts{FFmpeg: func(context.Context) (string, error) { return version, nil }}
		for _, probe := range p.Probes() {
			if probe.Name != "ffmpeg" {
				continue
			}
			f := probe.Look(t.Context())
			if worst(f) != want || strings.Contains(f[0].Text, "CVE-2026-8461") != (want == Warning) ||
				!strings.Contains(f[0].Text, version) {
				t.Errorf("%s: got %+v; want %v", version, f, want)
			}
		}
	}
}
