// command.go is the engine "command": a program of the operator's makes the video.

package video

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// refusal is the exit status with which a program says that it will never make this video (EX_DATAERR).
const refusal = 65

// command runs the operator's program and returns the path at which the video should be. The name travels in the
// environment only. Exit status 65 is a permanent error; an error holds the last 2 KiB of what the program printed to
// its stderr, without the name. Nothing that the program started outlives it.
func (m *Maker) command(ctx context.Context, folder string, o Order) (string, error) {
	path := filepath.Join(folder, "output.mp4")
	// With TMPDIR there, what the program forgets to remove goes with the folder.
	err := run(ctx, child{argv: m.cfg.Command, env: []string{"TMPDIR=" + folder, "RETAKE_NAME=" + o.Name,
		"RETAKE_LANG=" + o.Lang, "RETAKE_TEMPLATE=" + o.Template, "RETAKE_ASSET=" + o.Asset, "RETAKE_OUTPUT=" + path}})
	var exit *exitError
	if errors.As(err, &exit) {
		exit.stderr = redact(exit.stderr, o.Name)
		if exit.code == refusal {
			return "", permanent{coded{fmt.Errorf("engine refused: %w", err), CodeRefused}}
		}
	}
	switch {
	case errors.Is(err, errNotStarted):
		return "", coded{fmt.Errorf("engine: %w", err), CodeMachine}
	case err != nil && CodeOf(err) == "":
		return "", coded{fmt.Errorf("engine: %w", err), CodeEngine}
	case err != nil:
		return "", fmt.Errorf("engine: %w", err)
	}
	return path, nil
}
