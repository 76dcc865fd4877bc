// words.go says what commands found.

package cli

import (
	"fmt"
	"runtime/debug"
	"strings"
	"text/tabwriter"
	"time"
)

// Rank is what an admin is called.
func Rank(owner bool) string {
	if owner {
		return "owner"
	}
	return "admin"
}

// Count is a number of things.
func Count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// Columns writes lines of words below each other.
func Columns(lines [][3]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, l := range lines {
		w.Write([]byte(strings.Join(l[:], "\t") + "\n"))
	}
	w.Flush()
	return b.String()
}

// Left says why something that failed was not tried again, by the step at which a publication is; platform "": a video.
func Left(asset, platform, step string) string {
	if platform == "" {
		return asset + ": it could not be tried again, or has failed once more"
	}
	why, ok := map[string]string{"unknown": "nobody knows whether it has arrived there: look, before a second one is made",
		"rejected": "the platform has rejected it", "reconnect": "its channel must be connected again first"}[step]
	if !ok {
		why = "it could not be tried again"
	}
	return asset + " on " + platform + ": " + why
}

// Version says what is running: the version, the commit it was built from, the Go that built it, and for what.
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
