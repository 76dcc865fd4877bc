// init.go writes the settings of somebody who begins.

package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// first are the settings that everybody looks at. The others stay commented, so that a newer version may have better
// defaults.
var first = []string{"data_dir", "language", "telegram.token", "telegram.owners", "web.listen", "web.base_url"}

// Sample makes the settings of somebody who begins from the defaults.
func Sample(defaults, dataDir string) string {
	var b strings.Builder
	b.WriteString(`# Retake's settings. Set token and owners below; retake check says whether all is well, retake starts it.
# Every other setting stands here with its default: take the # before it away to change it.
# The environment comes first: RETAKE_<SECTION>_<KEY>, such as RETAKE_TELEGRAM_TOKEN, or with _FILE at the end the file that has it.

`)
	section, body := "", false
	for line := range strings.Lines(defaults) {
		key, _, isKey := strings.Cut(line, " = ")
		switch {
		case !body: // what the defaults say of themselves
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

// Init writes the settings of somebody who begins to a place: a folder, a file that ends in .toml, or "" for where we
// are. What is there stays. It returns what comes next; program is what somebody types to run this one.
func Init(place, defaults, program string) (next string, err error) {
	file, dataDir := place, "data"
	if filepath.Ext(place) != ".toml" {
		file = filepath.Join(place, "config.toml")
	}
	flag := ""
	if file != "config.toml" { // it is used from other folders, too
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
		return "", fmt.Errorf("%s is there already, and stays as it is; retake init PLACE writes one elsewhere", file)
	}
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(Sample(defaults, dataDir))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(file))
	}
	return fmt.Sprintf(`%s is written; only you can read it. Three steps to a running bot:

  1. Write /newbot to @BotFather in Telegram, and put the token that you get into that file, at token;
     your own Telegram id (@userinfobot tells it) goes to owners. Write /start to your new bot.
  2. %s check%s
     says what is missing here, and what to do about it.
  3. %[2]s serve%[3]s
     runs the bot, and prints a link that signs you in to its page.
`, file, program, flag), nil
}
