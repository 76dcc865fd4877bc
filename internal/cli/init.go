// The command init, which writes the settings of a new installation.

package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// first are the settings that every installation sets. The others are commented out, so that a newer version can change
// their defaults.
var first = []string{"data_dir", "language", "telegram.token", "telegram.owners", "web.listen", "web.base_url"}

// Sample makes the settings of a new installation from the defaults.
func Sample(defaults, dataDir string) string {
	var b strings.Builder
	b.WriteString(`# Retake's settings. Set token and owners below, then run: retake check, and: retake
# All other settings show their default: uncomment to change.
# The environment overrides this file: RETAKE_<SECTION>_<KEY>, such as RETAKE_TELEGRAM_TOKEN;
# RETAKE_<SECTION>_<KEY>_FILE names a file that holds the value.

`)
	section, body := "", false
	for line := range strings.Lines(defaults) {
		key, _, isKey := strings.Cut(line, " = ")
		switch {
		case !body: // the comment at the top of the defaults
			body = strings.TrimSpace(line) == ""
			continue
		case strings.HasPrefix(line, "["):
			section = line[1:strings.Index(line, "]")] + "."
		case isKey && section+key == "data_dir":
			line = strings.Replace(line, `"data"`, fmt.Sprintf("%q", dataDir), 1)
		case isKey && !slices.Contains(first, section+key):
			line = "# " + strings.Replace(line, "   #", " #", 1)
		}
		b.WriteString(line)
	}
	return b.String()
}

// Init writes the settings of a new installation to a place: a folder, a file that ends in .toml, or "" for the current
// folder. It never overwrites a file. It returns the text of the next steps; program is how the user runs this program.
func Init(place, defaults, program string) (next string, err error) {
	file, dataDir := place, "data"
	if filepath.Ext(place) != ".toml" {
		file = filepath.Join(place, "config.toml")
	}
	flag := ""
	if file != "config.toml" { // it may be used from other folders
		if file, err = filepath.Abs(file); err != nil {
			return "", err
		}
		dataDir, flag = filepath.Join(filepath.Dir(file), "data"), " -config "+file
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return "", err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("%s already exists and stays as it is; retake init PLACE writes one elsewhere", file)
	}
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(Sample(defaults, dataDir))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(file))
	}
	return fmt.Sprintf(`%s is written, readable only by you. Three steps to a running bot:

  1. Send /newbot to @BotFather in Telegram and put the token you get into the file, at token.
     Put your own Telegram id (@userinfobot tells it) at owners. Send /start to your new bot.
  2. %s check%s
     checks your setup and says how to fix what is missing.
  3. %[2]s serve%[3]s
     runs the bot and prints a link that signs you in to its page.
`, file, program, flag), nil
}
