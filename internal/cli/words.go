// What commands print about what they found.

package cli

import (
	"fmt"
	"runtime/debug"
	"strings"
	"text/tabwriter"
	"time"
)

// Rank returns the word for an admin or an owner.
func Rank(owner bool) string {
	if owner {
		return "owner"
	}
	return "admin"
}

// Count returns a number with its noun.
func Count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// Columns aligns lines of three words.
func Columns(lines [][3]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, l := range lines {
		w.Write([]byte(strings.Join(l[:], "\t") + "\n"))
	}
	w.Flush()
	return b.String()
}

// Left says why a failed video or publication was not retried. platform is empty for a video; step is the step at which
// the publication failed.
func Left(asset, platform, step string) string {
	if platform == "" {
		return asset + ": it could not be retried, or has failed again"
	}
	why, ok := map[string]string{"unknown": "it may have arrived there: look before you make a second one",
		"rejected": "the platform has rejected it", "reconnect": "its channel must be reconnected first"}[step]
	if !ok {
		why = "it could not be retried"
	}
	return asset + " on " + platform + ": " + why
}

// Version returns the text of the command version: version, commit, Go version and platform.
func Version(version string, built *debug.BuildInfo) string {
	set := map[string]string{}
	for _, s := range built.Settings {
		set[s.Key] = s.Value
	}
	commit := "of an unknown commit"
	if revision := set["vcs.revision"]; revision != "" {
		commit = "commit " + revision[:min(12, len(revision))]
		if at, err := time.Parse(time.RFC3339, set["vcs.time"]); err == nil {
			commit += " of " + at.UTC().Format(time.DateOnly)
		}
		if set["vcs.modified"] == "true" {
			commit += ", changed since"
		}
	}
	return fmt.Sprintf("retake %s\n%s\n%s, %s/%s\n", version, commit, built.GoVersion, set["GOOS"], set["GOARCH"])
}
