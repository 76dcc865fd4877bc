// The settings of a Retake installation: the values, where each was set, and the paths that follow from them.

package config

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"retake.example/internal/farm"
	"retake.example/internal/lang"
	"retake.example/internal/logs"
	"retake.example/internal/seal"
)

// Config is config.toml.
type Config struct {
	Settings
	File     string            // that was read; "": none
	From     map[string]string // where a key was set
	CacheDir string            // of prepared templates
	Second   time.Duration     // the length of a second in Telegram's limits
}

// builtIn is what faults call the defaults that are embedded in the program.
const builtIn = "the defaults"

// known is what the settings may name.
var known = Known{Languages: lang.Languages, TokenKey: seal.Check, FarmLogin: farm.Check,
	Formats: logs.Formats, Levels: logs.Levels}

// LoadFile reads the defaults, then the file, then the environment. An empty path means config.toml in the working
// directory, if there is one. The error is Faults.
func LoadFile(defaults, path string, environ []string) (c Config, err error) {
	source, there, err := Read(path)
	if err != nil {
		return c, err
	}
	if c, err = FromDefaults(defaults, environ, source); there {
		c.File = source.Name
	}
	c.CacheDir = filepath.Join(c.DataDir, "cache")
	return c, err
}

// FromDefaults returns the defaults, changed by sources and then by the environment. The error is Faults.
func FromDefaults(defaults string, environ []string, sources ...Source) (c Config, err error) {
	all := append([]Source{{Name: builtIn, Text: defaults}}, sources...)
	c.Second = time.Second
	c.From, err = Load(&c.Settings, "RETAKE", environ, c.Settings.Check(known), all...)
	return c, err
}

// LanguageChosen reports whether the operator set the language, which then also holds for users of languages without
// texts.
func (c *Config) LanguageChosen() bool { return !strings.HasPrefix(c.From["language"], builtIn) }

// Database is the file of the database.
func (c *Config) Database() string { return filepath.Join(c.DataDir, "retake.db") }

// BackupDir is the folder of the automatic backups.
func (c *Config) BackupDir() string { return cmp.Or(c.Backup.Dir, filepath.Join(c.DataDir, "backups")) }

// TokenKey is the file with the key that seals the tokens of channels.
func (c *Config) TokenKey() string { return filepath.Join(c.DataDir, "token.key") }

// Staff lists the ids of the owners and admins in the settings.
func (c *Config) Staff() []int64 { return slices.Concat(c.Telegram.Owners, c.Telegram.Admins) }

// WhereAdmin says which setting makes somebody an admin, and where it is set.
func (c *Config) WhereAdmin(id int64) string {
	key := "telegram.admins"
	if slices.Contains(c.Telegram.Owners, id) {
		key = "telegram.owners"
	}
	return key + " of " + cmp.Or(c.From[key], builtIn)
}
