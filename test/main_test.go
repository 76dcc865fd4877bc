// Package test plays the built program from outside: as its users, its operator and what breaks around it meet it.
package test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"retake.example/internal/db/dbtest"
	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/store"
	"retake.example/internal/testrig"
)

// The exit codes of the program.
const (
	exitFailure = 1
	exitUsage   = 2
	exitConfig  = 78
)

const (
	testToken  = testrig.Token
	brokenFile = testrig.BrokenFile
	stall      = testrig.Stall
)

type (
	journal = testrig.Journal
	part    = testrig.Part
)

var (
	notShort      = testrig.NotShort
	openStore     = testrig.OpenStore
	newStore      = testrig.NewStore
	readDB        = testrig.ReadDB
	texts         = testrig.Texts
	write         = testrig.Write
	mutate        = testrig.Mutate
	mutateOutside = testrig.MutateOutside
	count         = testrig.Count
	text          = testrig.Text
	ask           = testrig.Ask
	begin         = testrig.Begin
	complete      = testrig.Complete
	newProgress   = testrig.NewProgress
	sample        = testrig.Sample
	engine        = testrig.Engine
	letters       = testrig.Letters
	keysOf        = testrig.KeysOf
	bucketOf      = testrig.BucketOf
	fromGolden    = testrig.FromGolden
	videos        = testrig.Videos
	press         = testrig.Press
	long          = testrig.Long
	isPeace       = testrig.IsPeace
	form          = testrig.Form
	post          = testrig.Post
	connected     = testrig.Connected
	uploaded      = testrig.Uploaded
	publishes     = testrig.Publishes
	binary        = testrig.Program
)

// TestMain runs the tests in the root of the repository, to which the documents' paths belong.
func TestMain(m *testing.M) {
	if err := os.Chdir(testrig.Root()); err != nil {
		panic(err)
	}
	dbtest.AlwaysTwice()
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) // below nohup, what is started would hear no hangup either
	code := m.Run()
	testrig.Clean()
	os.Exit(code)
}

// world is what is around the program: Telegram with its people, and the log.
type world struct {
	*testing.T
	tg    *faketelegram.Server
	log   *journal
	store *store.Store // nil: nobody reads the database
}

// until waits for a condition.
func (w *world) until(what string, is func() bool) {
	w.Helper()
	state := w.log.String
	if w.tg != nil { // on a busy machine a video tells its percents for minutes
		state = func() string { return fmt.Sprint(w.tg.Count(), w.log) }
	}
	if err := testrig.Until(w, is, state); err != nil {
		w.Fatalf("%s: %v\n%s", what, err, w.log)
	}
}

// hears waits until the bot has said a text to somebody, and returns that message.
func (w *world) hears(p *faketelegram.Person, text string) faketelegram.Message {
	w.Helper()
	return testrig.Hears(w.until, p, text)
}

// names sends a name and returns the question that follows.
func (w *world) names(p *faketelegram.Person, name string) faketelegram.Message {
	w.Helper()
	return testrig.Names(w.until, p, name)
}

// asks sends a name and says yes, to the first template where there is a choice.
func (w *world) asks(p *faketelegram.Person, name string) {
	w.Helper()
	press(p, w.names(p, name), 0)
}

func (w *world) getsVideos(p *faketelegram.Person, n int) {
	w.Helper()
	testrig.GetsVideos(w.until, p, n)
}

// calm waits until no work is owed and no update waits.
func (w *world) calm() {
	w.Helper()
	w.until("calm", func() bool {
		return w.tg.Pending() == 0 && count(w, w.store,
			`SELECT (SELECT count(*) FROM jobs WHERE due < 9e15) + (SELECT count(*) FROM inbox WHERE set_aside IS NULL AND raw IS NOT NULL)`) == 0
	})
}

// retake runs one command line and returns what it printed and its exit code.
func retake(t *testing.T, environ []string, args ...string) (out string, code int) {
	t.Helper()
	cmd := exec.Command(binary(t), args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), environ...)
	b, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(b), cmd.ProcessState.ExitCode()
}

// dial connects to a server for a request that a client of Go would not send.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	return conn
}
