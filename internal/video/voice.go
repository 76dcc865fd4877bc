// voice.go has a text spoken by the engine the operator chose, and keeps what was spoken.

package video

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Engines that speak.
const (
	VoiceCommand = "command" // a program: the operator's, or espeak-ng
	VoiceHTTP    = "http"    // a service with the interface of OpenAI's speech
)

// VoiceConfig is who speaks.
type VoiceConfig struct {
	Engine  string   // VoiceCommand, VoiceHTTP, or "" for nobody
	Command []string // of VoiceCommand: program and arguments, no shell; empty: espeak-ng, if it is installed
	URL     string   // of VoiceHTTP: ".../v1/audio/speech"
	Key     string   // of VoiceHTTP: sent as a bearer token
	Model   string   // of VoiceHTTP
	Voice   string   // of VoiceHTTP
}

// voiceTimeout ends an engine that hangs; espeak-ng takes a hundredth of a second, a service a few seconds.
const voiceTimeout = 30 * time.Second

// Limits of the clips that are kept, of a quarter of a megabyte each as a rule. They say names of children: what was not
// used for a week goes.
const (
	maxClips = 256
	clipLife = 7 * 24 * time.Hour
)

// check refuses what cannot be meant.
func (v VoiceConfig) check() error {
	switch {
	case v.Engine != "" && v.Engine != VoiceCommand && v.Engine != VoiceHTTP:
		return fmt.Errorf("unknown voice engine %q: want %q, %q or none", v.Engine, VoiceCommand, VoiceHTTP)
	case v.Engine == VoiceCommand && len(v.Command) > 0 && v.Command[0] == "":
		return errors.New("voice engine command: the program has no name")
	case v.Engine == VoiceHTTP && !strings.HasPrefix(v.URL, "https://") && !strings.HasPrefix(v.URL, "http://"):
		return errors.New("voice engine http: the URL does not begin with https:// or http://")
	}
	return nil
}

// Voice returns nil if names are spoken, or an error of one sentence that says why not and what to do.
func (m *Maker) Voice() error {
	v := m.cfg.Voice
	switch {
	case v.Engine == "":
		return fmt.Errorf("no voice: none is configured: set voice.engine to %q or %q", VoiceCommand, VoiceHTTP)
	case v.Engine == VoiceCommand && len(v.Command) == 0:
		if _, err := exec.LookPath(espeak); err != nil {
			return fmt.Errorf("no voice: %s was not found: install it with `apt-get install -y %[1]s`, or set voice.command", espeak)
		}
	case v.Engine == VoiceCommand:
		if _, err := exec.LookPath(v.Command[0]); err != nil {
			return fmt.Errorf("no voice: %s was not found: install it, or change voice.command", v.Command[0])
		}
	}
	return nil
}

// speak returns the clip of a text that contains the name: 48 kHz, one channel, as loud as every other clip, without
// silence around it. Without an engine it returns nil and no error. Two calls for the same new text at the same time may
// both make the clip; either result is good, and the later one stays.
func (m *Maker) speak(ctx context.Context, t *tools, text, name, lang string) (clip []int16, err error) {
	if m.Voice() != nil {
		return nil, nil
	}
	path := filepath.Join(m.clips(), hashed(name)+"-"+m.cfg.Voice.key(t, lang, text)+".pcm")
	if clip, ok := keptClip(path); ok {
		return clip, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, voiceTimeout, fmt.Errorf("took longer than %v", voiceTimeout))
	defer cancel()
	// The folder lies in the cache because a clip can be renamed only within one file system.
	folder, err := newFolder(m.cfg.Cache, preparePrefix)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	spoken := filepath.Join(folder, "voice.wav")
	if m.cfg.Voice.Engine == VoiceHTTP {
		err = m.cfg.Voice.request(ctx, text, name, spoken)
	} else {
		err = m.cfg.Voice.command(ctx, folder, text, name, lang, spoken)
	}
	if err != nil {
		return nil, err
	}
	if clip, err = t.normalise(ctx, spoken); err != nil {
		return nil, err
	}
	if err := keepClip(folder, path, clip); err != nil {
		return nil, fmt.Errorf("keep the clip: %w", err)
	}
	return clip, nil
}

// command runs the program. The text travels through stdin only: other processes can see arguments.
func (v VoiceConfig) command(ctx context.Context, folder, text, name, lang, out string) error {
	c := child{argv: v.Command, feed: true,
		env: append(environment(secretVariable), "TMPDIR="+folder, "RETAKE_LANG="+lang, "RETAKE_OUTPUT="+out)}
	if len(v.Command) == 0 {
		c.argv, c.env = espeakCommand(lang, out), environment(ownVariable)
		text = espeakText(text, lang)
	}
	p, err := start(ctx, c)
	if err != nil {
		return err
	}
	_, err = p.stdin.Write([]byte(text))
	err = errors.Join(err, p.stdin.Close())
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, fs.ErrClosed) {
		err = nil // it ended, or needed no more of the text: how it ended says whether that is well
	}
	ended := p.wait()
	var exit *exitError
	if errors.As(ended, &exit) {
		exit.stderr = redact(exit.stderr, name)
	}
	if ended != nil {
		return ended
	}
	return err
}

// clips is the folder of the clips that are kept. Each begins with the hash of the name that it says, so that it can be found.
func (m *Maker) clips() string { return filepath.Join(m.cfg.Cache, "voice") }

func hashed(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}

// ForgetNames deletes the clips that say these names.
func (m *Maker) ForgetNames(names []string) (err error) {
	for _, name := range names {
		clips, e := filepath.Glob(filepath.Join(literal(m.clips()), hashed(name)+"-*"))
		err = errors.Join(err, e)
		for _, clip := range clips {
			if e := os.Remove(clip); !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}
	}
	return err
}

// literal makes a pattern of a path.
func literal(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// ForgetOldNames deletes the clips that were not used for a week.
func (m *Maker) ForgetOldNames() error {
	return dropClips(m.clips(), maxClips, time.Now().Add(-clipLife))
}

// key names what a clip depends on.
func (v VoiceConfig) key(t *tools, lang, text string) string {
	argv := v.Command
	if len(argv) == 0 {
		argv = espeakCommand(lang, "")
	}
	if v.Engine == VoiceHTTP {
		argv = []string{v.URL, v.Model, v.Voice}
	}
	return hashed(fmt.Sprintf("%q %q %q %q %v %q", v.Engine, argv, lang, text, clipLoudness, t.version))
}

// keptClip reads a clip from the cache and notes that it was used.
func keptClip(path string) ([]int16, bool) {
	b, err := os.ReadFile(path)
	if err != nil || len(b) == 0 || len(b)%2 != 0 || len(b) > 2*maxClip {
		return nil, false
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now) // at worst it goes too early
	return samples(b), true
}

// keepClip puts a clip into the cache by way of a file in folder, and lets those go that were not used for longest.
func keepClip(folder, path string, clip []int16) error {
	part := filepath.Join(folder, "clip.pcm")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(part, samplesBytes(clip), 0o600); err != nil {
		return err
	}
	if err := keep(part, path); err != nil {
		return err
	}
	return dropClips(filepath.Dir(path), maxClips, time.Now().Add(-clipLife))
}

// dropClips leaves in a folder the given number of files that were used last, and none that was not used since.
func dropClips(folder string, most int, since time.Time) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	var clips []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil { // otherwise another call has just removed it
			clips = append(clips, info)
		}
	}
	slices.SortFunc(clips, func(a, b fs.FileInfo) int {
		return cmp.Or(b.ModTime().Compare(a.ModTime()), cmp.Compare(a.Name(), b.Name()))
	})
	kept := min(most, len(clips))
	for kept > 0 && clips[kept-1].ModTime().Before(since) {
		kept--
	}
	for _, c := range clips[kept:] {
		if e := os.Remove(filepath.Join(folder, c.Name())); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}
