// Package config reads settings from TOML and the environment into a struct and tells every fault at once, with its
// line.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// Faults lists everything that is wrong, one line each.
type Faults []string

func (f Faults) Error() string { return strings.Join(f, "\n") }

// Source is a text in TOML and the name that faults call it by.
type Source struct{ Name, Text string }

// Read reads a file. An empty path means config.toml in the working directory, which may be missing. The error is
// Faults.
func Read(path string) (s Source, there bool, err error) {
	s.Name = cmp.Or(path, "config.toml")
	text, err := os.ReadFile(s.Name)
	switch {
	case path == "" && errors.Is(err, os.ErrNotExist):
		return s, false, nil
	case errors.Is(err, os.ErrPermission):
		return s, true, Faults{fmt.Sprintf("the configuration cannot be read: %v: run it as the user whose file it is",
			err)}
	case err != nil:
		return s, true, Faults{fmt.Sprintf("the configuration cannot be read: %v: name another with -config", err)}
	}
	s.Text = string(text)
	return s, true, nil
}

// Load sets the fields of the struct that into points to, which have toml tags and may be structs of such fields:
// from the sources in their order, then from the credentials that systemd hands over, files <prefix>_<section>.<key> in
// the folder CREDENTIALS_DIRECTORY, then from the variables <PREFIX>_<SECTION>_<KEY> of environ. prefix is in capitals.
// page sets the keys that only the first source, the defaults, has set.
// Types are string, int, int64, bool, time.Duration, []int64 and []string. check then says what must hold of each key
// ("section.key"). from says of each key where it was set: a file and a line, a credential, or a variable. The error is
// Faults.
func Load(into any, prefix string, environ []string, page Page,
	check func(is func(ok bool, key, format string, args ...any)), sources ...Source) (from map[string]string, err error) {
	l := loader{cfg: reflect.ValueOf(into).Elem(), from: map[string]origin{}}
	for _, s := range sources {
		l.file(s.Name, s.Text)
	}
	l.credentials(prefix, environ)
	l.environment(prefix, environ)
	l.page(page, func(key string) bool {
		where, set := l.from[key]
		return set && where.name != sources[0].Name
	})
	return l.checked(check)
}

// checked returns where each key was set, and Faults if a key has one.
func (l *loader) checked(check func(is func(ok bool, key, format string, args ...any))) (map[string]string, error) {
	check(func(ok bool, key, format string, args ...any) {
		if !ok {
			l.fault(l.from[key], key, format, args...)
		}
	})
	from := map[string]string{}
	for key, where := range l.from {
		from[key] = where.String()
	}
	if len(l.faults) == 0 {
		return from, nil
	}
	slices.SortStableFunc(l.faults, func(a, b fault) int { return cmp.Or(a.line-b.line, cmp.Compare(a.text, b.text)) })
	var all Faults
	for _, f := range l.faults {
		all = append(all, plain(f.text))
	}
	return from, all
}

// plain escapes characters that a terminal does not show or takes for a command.
func plain(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) }) {
		return text
	}
	quoted := strconv.QuoteToGraphic(text)
	return quoted[1 : len(quoted)-1]
}

// loader sets fields by key and collects faults.
type loader struct {
	cfg    reflect.Value     // the struct
	from   map[string]origin // where a key was set
	faults []fault
}

// origin is a file and a line, or an environment variable.
type origin struct {
	name string
	line int
}

func (o origin) String() string {
	if o.line == 0 {
		return o.name
	}
	return fmt.Sprintf("%s:%d", o.name, o.line)
}

type fault struct {
	line int
	text string
}

func (l *loader) fault(where origin, key, format string, args ...any) {
	l.faults = append(l.faults, fault{where.line, fmt.Sprintf("%s: %s: %s", where, key, fmt.Sprintf(format, args...))})
}

// quote is what the TOML library quotes of a file, unless it is a single character: it may be a secret without its
// quotes.
var quote = regexp.MustCompile(`(?s)["'].{5,}["']`)

func (l *loader) file(path, text string) {
	var values map[string]any
	if _, err := toml.Decode(text, &values); err != nil {
		var parse toml.ParseError
		if errors.As(err, &parse) {
			line := max(1, parse.Position.Line) // the library counts some from 0
			l.faults = append(l.faults, fault{line, fmt.Sprintf("%s:%d: %s", path, line,
				quote.ReplaceAllLiteralString(parse.Message, "…"))})
		} else {
			l.faults = append(l.faults, fault{0, fmt.Sprintf("%s: %s", path, quote.ReplaceAllLiteralString(err.Error(),
				"…"))})
		}
		return
	}
	l.table(origin{name: path}, keyLines(text), "", values)
}

// table sets the keys of a section, which begins at in. A key of an inline table has its line.
func (l *loader) table(in origin, lines map[string]int, prefix string, values map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		full := prefix + key
		where := origin{in.name, cmp.Or(lines[full], in.line)}
		field, ok := l.field(full)
		if sub, isTable := values[key].(map[string]any); isTable && (!ok || field.Kind() == reflect.Struct) {
			if !ok {
				l.fault(where, full, "there is no such section")
				continue
			}
			l.table(where, lines, full+".", sub)
			continue
		}
		switch {
		case !ok:
			l.fault(where, full, "there is no such key")
			continue
		case field.Kind() == reflect.Struct:
			l.fault(where, full, "this is a section: [%s] is expected, once", full)
			continue
		}
		l.from[full] = where
		l.set(where, full, field, values[key])
	}
}

// keyLines finds the line of each key, because the TOML library does not report it.
func keyLines(text string) map[string]int {
	lines, section, n := map[string]int{}, "", 0
	for line := range strings.Lines(text) {
		n++
		if m := header.FindStringSubmatch(line); m != nil {
			name := unquoted.Replace(m[1])
			lines[name], section = n, name+"."
		} else if m := assignment.FindStringSubmatch(line); m != nil {
			name := section + unquoted.Replace(m[1])
			lines[name] = n
			for end := strings.LastIndexByte(name, '.'); end > len(section); end = strings.LastIndexByte(name[:end],
				'.') {
				lines[name[:end]] = cmp.Or(lines[name[:end]], n) // telegram.token = … begins the section telegram
			}
		}
	}
	return lines
}

// A key is one or more words with points between them; each may be in quotes.
const keyPattern = `((?:[\w-]+|"[^"\\]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"\\]*"|'[^']*'))*)`

var (
	header     = regexp.MustCompile(`^\s*\[\s*` + keyPattern + `\s*\]`)
	assignment = regexp.MustCompile(`^\s*` + keyPattern + `\s*=`)
	unquoted   = strings.NewReplacer(`"`, "", "'", "", " ", "", "\t", "")
)

// field finds the field of a key such as "web.listen".
func (l *loader) field(key string) (reflect.Value, bool) {
	v := l.cfg
	for part := range strings.SplitSeq(key, ".") {
		if v.Kind() != reflect.Struct {
			return v, false
		}
		fields := reflect.VisibleFields(v.Type())
		i := slices.IndexFunc(fields, func(f reflect.StructField) bool {
			return part != "" &&
				f.IsExported() && f.Tag.Get("toml") == part
		})
		if i < 0 {
			return v, false
		}
		v = v.FieldByIndex(fields[i].Index)
	}
	return v, true
}

func (l *loader) set(where origin, key string, field reflect.Value, value any) {
	switch to := field.Addr().Interface().(type) {
	case *string:
		if s, ok := value.(string); ok {
			*to = s
			return
		}
		l.fault(where, key, "a text in quotes is expected")
	case *time.Duration:
		s, _ := value.(string)
		d, err := time.ParseDuration(s)
		if err != nil {
			l.fault(where, key, `a duration such as "90s", "10m" or "24h" is expected`)
			return
		}
		*to = d
	case *bool:
		if b, ok := value.(bool); ok {
			*to = b
			return
		}
		l.fault(where, key, "true or false is expected")
	case *int, *int64:
		if n, ok := value.(int64); ok {
			field.SetInt(n)
			return
		}
		l.fault(where, key, "a whole number is expected")
	case *[]int64:
		list, ok := value.([]any)
		*to = nil
		for _, v := range list {
			n, isInt := v.(int64)
			ok = ok && isInt
			*to = append(*to, n)
		}
		if !ok {
			*to = nil
			l.fault(where, key, "a list of numbers such as [12345, 67890] is expected")
		}
	case *[]string:
		list, ok := value.([]any)
		*to = nil
		for _, v := range list {
			s, isText := v.(string)
			ok = ok && isText
			*to = append(*to, s)
		}
		if !ok {
			*to = nil
			l.fault(where, key, `a list of texts such as ["./make-video", "--fast"] is expected`)
		}
	}
}

// credentials sets keys from the files of a service manager. It ignores those of other programs.
func (l *loader) credentials(prefix string, environ []string) {
	const variable = "CREDENTIALS_DIRECTORY="
	i := slices.IndexFunc(environ, func(pair string) bool { return strings.HasPrefix(pair, variable) })
	if i < 0 {
		return
	}
	dir := strings.TrimPrefix(environ[i], variable)
	files, err := os.ReadDir(dir)
	if err != nil {
		l.faults = append(l.faults, fault{0, fmt.Sprintf("CREDENTIALS_DIRECTORY: that folder cannot be read: %v", err)})
		return
	}
	keys := map[string]string{} // variable: key
	variables(keys, l.cfg.Type(), prefix, "")
	known := slices.Collect(maps.Values(keys))
	for _, f := range files {
		key, ours := strings.CutPrefix(f.Name(), strings.ToLower(prefix)+"_")
		if !ours {
			continue
		}
		where := origin{name: "the credential " + f.Name()}
		if !slices.Contains(known, key) {
			l.fault(where, key, "there is no such key")
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			l.fault(where, key, "that file cannot be read: %v", err)
			continue
		}
		field, _ := l.field(key)
		l.from[key] = where
		l.set(where, key, field, fromText(field, strings.TrimSpace(string(text))))
	}
}

// environment sets keys from <PREFIX>_<SECTION>_<KEY>, and from the files named by …_FILE.
func (l *loader) environment(prefix string, environ []string) {
	keys := map[string]string{} // variable: key
	variables(keys, l.cfg.Type(), prefix, "")
	for _, pair := range environ {
		variable, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(variable, prefix+"_") {
			continue
		}
		key, ok := keys[variable]
		if base, isFile := strings.CutSuffix(variable, "_FILE"); !ok && isFile && keys[base] != "" {
			key = keys[base]
			text, err := os.ReadFile(value)
			if err != nil {
				var path *os.PathError
				errors.As(err, &path) // without the path: somebody may have put the secret itself there
				l.fault(origin{name: variable}, key, "that file cannot be read: %v", path.Err)
				continue
			}
			value, ok = strings.TrimSpace(string(text)), true
		}
		if !ok {
			l.faults = append(l.faults, fault{0, variable + ": there is no such setting"})
			continue
		}
		field, _ := l.field(key)
		l.from[key] = origin{name: variable}
		l.set(l.from[key], key, field, fromText(field, value))
	}
}

// variables adds the environment variable of each key of a section and of its sections.
func variables(keys map[string]string, section reflect.Type, variable, key string) {
	for _, f := range reflect.VisibleFields(section) {
		tag := f.Tag.Get("toml")
		if tag == "" {
			continue
		}
		variable, key := variable+"_"+strings.ToUpper(tag), key+tag
		if f.Type.Kind() == reflect.Struct {
			variables(keys, f.Type, variable, key+".")
		} else {
			keys[variable] = key
		}
	}
}

// fromText converts a variable to what TOML would have given. What it cannot convert stays text, which set refuses.
func fromText(field reflect.Value, text string) any {
	switch field.Interface().(type) {
	case string, time.Duration:
		return text
	case int, int64:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
		return text
	}
	var parsed struct{ V any }
	if _, err := toml.Decode("V = "+text, &parsed); err != nil { // a list is written as in the file
		return text
	}
	return parsed.V
}
