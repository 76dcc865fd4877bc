// designlines.go finds the line of each key of a template.toml, so that faults can name it.

package video

import (
	"fmt"
	"regexp"
	"strings"
)

// keyLines holds the line of each key and table: "title", "segment[1]", "segment[1].end", "voice.text.ru".
type keyLines map[string]int

// of returns the line of a key, or else of the table it belongs to, or else the first one.
func (k keyLines) of(key string) int {
	for {
		if line, ok := k[key]; ok {
			return line
		}
		end := strings.LastIndexAny(key, ".[")
		if end < 0 {
			return 1
		}
		key = key[:end]
	}
}

var (
	headerLine     = regexp.MustCompile(`^\s*(\[\[?)\s*([^\[\]#]+?)\s*\]`)
	assignmentLine = regexp.MustCompile(`^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=`)
)

// findKeys finds the line of each key of a text that is TOML, which the TOML library does not tell.
func findKeys(text string) keyLines {
	lines, counts := keyLines{}, map[string]int{}
	table, n := "", 0
	var open openValue
	for line := range strings.Lines(text) {
		n++
		if open.inside() {
			open.read(line)
			continue
		}
		if m := headerLine.FindStringSubmatch(line); m != nil {
			table = keyPath(m[2])
			if m[1] == "[[" {
				counts[table]++
				table = fmt.Sprintf("%s[%d]", table, counts[table])
			} else if first, rest, ok := strings.Cut(table, "."); ok && counts[first] > 0 {
				table = fmt.Sprintf("%s[%d].%s", first, counts[first], rest) // of the last one
			}
			lines.note(table, n)
		} else if m := assignmentLine.FindStringSubmatch(line); m != nil {
			lines.note(join(table, keyPath(m[1])), n)
			open.read(line[len(m[0]):])
		}
	}
	return lines
}

// tooDeep returns the first line up to which more lists and tables are inside each other than a template needs; 0 if
// there is none. The parser takes minutes for thousands.
func tooDeep(text string) (line int) {
	var v openValue
	for one := range strings.Lines(text) {
		line++
		if v.read(one); v.deepest > mostDeep {
			return line
		}
	}
	return 0
}

// note remembers the line of a key and of what it is a part of, whichever comes first.
func (k keyLines) note(key string, line int) {
	for i := range len(key) + 1 {
		if i == len(key) || key[i] == '.' {
			if _, ok := k[key[:i]]; !ok {
				k[key[:i]] = line
			}
		}
	}
}

// keyPath takes the spaces and quotes out of a dotted key.
func keyPath(key string) string {
	return strings.NewReplacer(" ", "", "\t", "", `"`, "", "'", "").Replace(key)
}

// openValue follows a value that goes on over several lines.
type openValue struct {
	quote   string // that ends the text which is open, "" outside of texts
	depth   int    // of brackets
	dots    int    // of the key that is being read
	deepest int    // of both together, so far
}

func (v *openValue) inside() bool { return v.quote != "" || v.depth > 0 }

// read follows the value to the end of a line.
func (v *openValue) read(line string) {
	v.dots = 0
	for len(line) > 0 {
		step := 1
		switch {
		case v.quote != "" && strings.HasPrefix(line, v.quote):
			step, v.quote = len(v.quote), ""
		case v.quote != "":
			if line[0] == '\\' && v.quote[0] == '"' {
				step = min(2, len(line))
			}
		case line[0] == '#':
			step = len(line)
		case line[0] == '"' || line[0] == '\'':
			v.quote = line[:1]
			if triple := strings.Repeat(v.quote, 3); strings.HasPrefix(line, triple) {
				v.quote = triple
			}
			step = len(v.quote)
		case line[0] == '[' || line[0] == '{':
			v.depth, v.dots = v.depth+1, 0
		case line[0] == ']' || line[0] == '}':
			v.depth, v.dots = max(0, v.depth-1), 0
		case line[0] == '.':
			v.dots++
		case line[0] == '=' || line[0] == ',':
			v.dots = 0
		}
		v.deepest = max(v.deepest, v.depth+v.dots)
		line = line[step:]
	}
	if len(v.quote) == 1 {
		v.quote = "" // such a text ends with its line
	}
}
