package chat

import (
	"os"
	"testing"

	"retake.example/internal/db/dbtest"
)

// TestMain makes every transaction of the tests run twice: a function that does anything else than what it does to the
// database shows it.
func TestMain(m *testing.M) {
	dbtest.AlwaysTwice()
	os.Exit(m.Run())
}
