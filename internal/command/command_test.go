package command

import (
	"testing"

	"retake.example/internal/cli"
)

func TestCommands_AreThoseOfTheTable(t *testing.T) {
	for _, c := range cli.Commands {
		if commands[c.Name] == nil {
			t.Errorf("retake %s is in the table and has no function", c.Name)
		}
	}
	if len(commands) != len(cli.Commands) {
		t.Errorf("got %d functions for %d commands", len(commands), len(cli.Commands))
	}
}
