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
	File string            // that was read; "": none
	From map[string]string // where a key was set

	Unreadable []string      // secrets of the page that were sealed with another key than this one
	CacheDir   string        // of prepared templates
	Second     time.Duration // the length of a second in Telegram's limits

	defaults Settings
}

// builtIn is what faults call the defaults that are embedded in the program.
const builtIn = "the defaults"

// known is what the settings may name.
var known = Known{Languages: lang.Languages, TokenKey: seal.Check, FarmLogin: farm.Check,
	Formats: logs.Formats, Levels: logs.Levels}

// LoadFile reads the defaults, then what page returns for the data folder and the key of these settings, then the
// file, then the environment. An empty path means config.toml in the working directory, if there is one. A file that
// is a copy of the defaults sets nothing. page may be nil. The error is Faults, or that of page.
func LoadFile(defaults, path string, environ []string, page func(Config) (Page, error)) (c Config, err error) {
	source, there, err := Read(path)
	if err != nil {
		return c, err
	}
	if there {
		c.File = source.Name
	}
	if source.Text == defaults {
		source.Text = ""
	}
	c.Second = time.Second
	all := []Source{{Name: builtIn, Text: defaults}, source}
	var set Page
	if page != nil {
		found := c
		// its faults come again below, with those of the page
		_, _ = Load(&found.Settings, prefixOfVariables, environ, nil, found.Settings.Check(known), all...)
		if set, err = page(found); err != nil {
			return c, err
		}
	}
	_, _ = Load(&c.defaults, prefixOfVariables, nil, nil, c.defaults.Check(known), all[0]) // its faults come again
	c.From, err = Load(&c.Settings, prefixOfVariables, environ, set, c.Settings.Check(known), all...)
	c.CacheDir = filepath.Join(c.DataDir, "cache")
	return c, err
}

// prefixOfVariables begins the name of each variable of the environment.
const prefixOfVariables = "RETAKE"

// FromDefaults returns the defaults, changed by sources and then by the environment. The error is Faults.
func FromDefaults(defaults string, environ []string, sources ...Source) (c Config, err error) {
	all := append([]Source{{Name: builtIn, Text: defaults}}, sources...)
	c.Second = time.Second
	_, _ = Load(&c.defaults, prefixOfVariables, nil, nil, c.defaults.Check(known), all[0]) // its faults come again
	c.From, err = Load(&c.Settings, prefixOfVariables, environ, nil, c.Settings.Check(known), all...)
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
