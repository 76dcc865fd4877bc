// versions.go says how the versions of a template are called, and which one is current.

package video

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// versionsFolder is where a template's folder keeps each version of its template.toml: versions/1.toml, and so on. The
// template.toml beside it is a copy of the current one.
const versionsFolder = "versions"

// splitVersion splits "spring@2" into the template and its version, which is 0 without one. What is no version stays in
// the name, which then is no template's.
func splitVersion(id string) (template string, version int) {
	template, number, found := strings.Cut(id, "@")
	n, err := strconv.Atoi(number)
	if !found || err != nil || n < 1 || strconv.Itoa(n) != number {
		return id, 0
	}
	return template, n
}

// withVersion is what orders call a version of a template.
func withVersion(template string, version int) string {
	if version == 0 {
		return template
	}
	return fmt.Sprintf("%s@%d", template, version)
}

func versionFile(version int) string { return path.Join(versionsFolder, strconv.Itoa(version)+".toml") }

// versionsIn lists the versions of a template, the oldest first.
func versionsIn(files fs.FS) (versions []int) {
	entries, _ := fs.ReadDir(files, versionsFolder) // there are none
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".toml")
		if n, err := strconv.Atoi(name); ok && err == nil && n > 0 && strconv.Itoa(n) == name {
			versions = append(versions, n)
		}
	}
	slices.Sort(versions)
	return versions
}

// currentIn returns the version that template.toml is a copy of, the newest if there are several; 0: it is none of
// them, but was written by hand.
func currentIn(files fs.FS) int {
	text, err := readUpTo(files, designFile, mostText)
	if err != nil {
		return 0
	}
	for _, n := range slices.Backward(versionsIn(files)) {
		if kept, err := readUpTo(files, versionFile(n), mostText); err == nil && bytes.Equal(kept, text) {
			return n
		}
	}
	return 0
}

// Current returns what a new order for a template says: of one that the studio keeps, the current version.
func (m *Maker) Current(id string) string {
	files, folder, err := m.find(id)
	if err != nil || folder == "" {
		return id
	}
	return withVersion(id, currentIn(files))
}
