// Versions of ffmpeg with known security holes.

package check

import (
	"fmt"
	"regexp"
	"strconv"
)

// fixed is the first version of ffmpeg without the holes: see github.com/opencv/opencv-python/pull/1249.
var fixed = [3]int{8, 1, 2}

var (
	release      = regexp.MustCompile(`^n?(\d+)\.(\d+)(?:\.(\d+))?`)
	distribution = regexp.MustCompile(`deb\d|ubuntu|-\d+\+`) // such as 5.1.9-0+deb12u1: fixes come without a new number
)

// holesOf says what is wrong with a version of ffmpeg as it says it itself; "" for one without a known hole, for a
// package of Debian or Ubuntu, which are patched, and for one whose number says nothing.
func holesOf(version string) string {
	m := release.FindStringSubmatch(version)
	if m == nil || distribution.MatchString(version) {
		return ""
	}
	for i, least := range fixed {
		n, _ := strconv.Atoi(m[i+1]) // "": 0
		if n > least {
			return ""
		}
		if n < least {
			return fmt.Sprintf("versions before %d.%d.%d have known holes, such as CVE-2026-8461: install a newer one, or "+
				"ffmpeg as your distribution packages it", fixed[0], fixed[1], fixed[2])
		}
	}
	return ""
}
