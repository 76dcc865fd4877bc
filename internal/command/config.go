// The command config: the settings that hold, and where each comes from.

package command

import (
	"context"
	"fmt"
	"strings"

	"retake.example/internal/config"
)

// printConfig prints the settings as TOML. A secret is a comment, which only says whether it is set.
func printConfig(_ context.Context, cfg config.Config, c Invocation) error {
	var b strings.Builder
	section := ""
	for _, key := range config.Keys() {
		dot := strings.LastIndexByte(key, '.')
		if in := key[:max(dot, 0)]; in != section {
			section = in
			fmt.Fprintf(&b, "\n[%s]\n", section)
		}
		line := key[dot+1:] + " = " + cfg.Value(key)
		if config.IsSecret(key) {
			line = "# " + key[dot+1:] + " = not set"
			if cfg.IsSet(key) {
				line = "# " + key[dot+1:] + " = set"
			}
		}
		fmt.Fprintf(&b, "%-42s # %s\n", line, cfg.Place(key))
	}
	return c.print(b.String(), nil)
}
