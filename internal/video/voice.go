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
	"unicode"
)

// Engines that speak.
const (
	VoiceCommand = "command" // a program: the operator's, or espeak-ng
	VoiceRHVoice = "rhvoice" // RHVoice
	VoiceHTTP    = "http"    // a service with the interface of OpenAI's speech
)

// VoiceConfig is who speaks.
type VoiceConfig struct {
	Engine string `toml:"engine"` // one of the engines above, or "" for nobody
	// Command is the program of VoiceCommand and its arguments, no shell; empty: espeak-ng, if it is installed.
	Command []string `toml:"command"`
	URL     string   `toml:"url"`   // of VoiceHTTP: ".../v1/audio/speech"
	Key     string   `toml:"key"`   // of VoiceHTTP: sent as a bearer token
	Model   string   `toml:"model"` // of VoiceHTTP
	Voice   string   `toml:"voice"` // of VoiceHTTP and VoiceRHVoice; "": one of RHVoice's for each language
}

// Notes on how the name in a finished video is spoken. They are stored: never change one.
const (
	NoteOtherVoice = "OTHER_VOICE" // by espeak-ng, because the voice that is set cannot read it
	NoteMusicOnly  = "MUSIC_ONLY"  // not at all, because no voice here can read it
)

// voiceTimeout ends an engine that hangs; espeak-ng takes a hundredth of a second, a service a few seconds.
const voiceTimeout = 30 * time.Second

// Limits of the clips that are kept, of a quarter of a megabyte each as a rule. They say names of children: what was
// not used for a week goes.
const (
	maxClips = 256
	clipLife = 7 * 24 * time.Hour
)

// check refuses what makes no sense.
func (v VoiceConfig) check() error {
	switch {
	case !slices.Contains([]string{"", VoiceCommand, VoiceRHVoice, VoiceHTTP}, v.Engine):
		return fmt.Errorf("unknown voice engine %q: want %q, %q, %q or none", v.Engine, VoiceCommand, VoiceRHVoice, VoiceHTTP)
	case v.Engine == VoiceCommand && len(v.Command) > 0 && v.Command[0] == "":
		return errors.New("voice engine command: the program has no name")
	case v.Engine == VoiceRHVoice && (strings.HasPrefix(v.Voice, "-") || strings.ContainsFunc(v.Voice, unicode.IsSpace)):
		return fmt.Errorf("voice engine rhvoice: %q isn't the name of a voice", v.Voice)
	case v.Engine == VoiceHTTP && !strings.HasPrefix(v.URL, "https://") && !strings.HasPrefix(v.URL, "http://"):
		return errors.New("voice engine http: the URL does not begin with https:// or http://")
	}
	return nil
}

// isEspeak reports whether espeak-ng speaks.
func (v VoiceConfig) isEspeak() bool { return v.Engine == VoiceCommand && len(v.Command) == 0 }

// voices are those that may say a name, one after another: the one that is set, then espeak-ng.
func (v VoiceConfig) voices() []VoiceConfig {
	switch other := (VoiceConfig{Engine: VoiceCommand}); {
	case v.Engine == "":
		return nil
	case v.isEspeak() || other.present() != nil:
		return []VoiceConfig{v}
	default:
		return []VoiceConfig{v, other}
	}
}

// Voice returns nil if names are spoken by the voice that is set, or an error of one sentence that says why not and
// what to do. On a farm they are spoken there.
func (m *Maker) Voice() error {
	if m.cfg.Engine == EngineFarm {
		return nil
	}
	return m.cfg.Voice.present()
}

// present returns nil if the engine is here.
func (v VoiceConfig) present() error {
	missing := func(program, advice string) error {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("no voice: %s was not found: %s", program, advice)
		}
		return nil
	}
	switch {
	case v.Engine == "":
		return fmt.Errorf("no voice: none is configured: set voice.engine to %q, %q or %q",
			VoiceCommand, VoiceRHVoice, VoiceHTTP)
	case v.isEspeak():
		return missing(espeak, "install it with `apt-get install -y "+espeak+"`, or set voice.command")
	case v.Engine == VoiceCommand:
		return missing(v.Command[0], "install it, or change voice.command")
	case v.Engine == VoiceRHVoice:
		return missing(rhvoice, "install the packages rhvoice, rhvoice-russian and rhvoice-english (Debian has them in "+
			"non-free), or change voice.engine")
	}
	return nil
}

// unreadable says that a voice cannot read this text, and that another one may.
type unreadable struct{ error }

func (u unreadable) Unwrap() error { return u.error }

// speak returns the clip of a line with a name in it: 48 kHz, one channel, as loud as every other clip, without silence
// around it. line makes it of the name as it is to be said. A name that the voice cannot read is said by espeak-ng, if
// it is installed, else by nobody; then the note says so, and neither is an error. Without a voice, clip and note are
// empty. Two calls for the same new line at the same time may both make the clip; either result is good, and the later
// one stays.
func (m *Maker) speak(ctx context.Context, t *tools, line func(name string) string,
	name, lang string) (clip []int16, note string, err error) {
	set := m.cfg.Voice
	if set.Engine == "" || set.isEspeak() && set.present() != nil {
		return nil, "", nil
	}
	for i, v := range set.voices() {
		clip, err = m.speakWith(ctx, t, v, line, name, lang)
		if _, other := errors.AsType[unreadable](err); other {
			continue
		}
		if err == nil && i > 0 {
			note = NoteOtherVoice
		}
		return clip, note, err
	}
	return nil, NoteMusicOnly, nil
}

// speakWith has one voice speak, or finds what it spoke. The error is unreadable if the voice cannot say this text.
func (m *Maker) speakWith(ctx context.Context, t *tools, v VoiceConfig, line func(name string) string,
	name, lang string) (clip []int16, err error) {
	if err := v.present(); err != nil {
		return nil, unreadable{err}
	}
	form, err := v.form(m.cfg.Forms, name, lang)
	if err != nil {
		return nil, err
	}
	text := line(form)
	if v.Engine == VoiceRHVoice {
		var readable bool
		if text, readable = rhvoiceText(text, lang); !readable {
			return nil, unreadable{errors.New("it has letters of another script")}
		}
	}
	path := filepath.Join(m.clips(), hashed(name)+"-"+v.key(t, lang, text)+".pcm")
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
	if v.Engine == VoiceHTTP {
		err = v.request(ctx, text, spoken, name, form, unstressed(form))
	} else {
		err = v.command(ctx, folder, text, name, lang, spoken, form, unstressed(form))
	}
	if err == nil {
		clip, err = t.normalise(ctx, spoken)
	}
	if err != nil {
		return nil, v.judge(ctx, err, text, lang)
	}
	if err := keepClip(folder, path, clip); err != nil {
		return nil, fmt.Errorf("keep the clip: %w", err)
	}
	return clip, nil
}

// judge says whether a failure is about the text. A service or a program that will never say it says so. One that fails
// in any other way may do so because it does not know the letters; then no further attempt helps. With letters of the
// language itself, it is broken, which the operator has to hear of.
func (v VoiceConfig) judge(ctx context.Context, err error, text, lang string) error {
	var exit *exitError
	var final interface{ Permanent() bool }
	var later interface {
		RetryAfter() (time.Duration, bool)
	}
	switch {
	case ctx.Err() != nil, v.isEspeak(), errors.As(err, &later):
		return err
	case errors.As(err, &final) && final.Permanent(), errors.As(err, &exit) && exit.code == refusal:
		return unreadable{err}
	case errors.Is(err, errAway) || ownScript(text, lang):
		return err
	}
	return unreadable{err}
}

// ownScript reports whether a language is written in the letters of a text.
func ownScript(text, lang string) bool {
	own := func(w writing) bool { return strings.Contains(w.langs, " "+lang+" ") }
	latin := !slices.ContainsFunc(writings, own)
	for _, r := range text {
		switch w := writingOf(r); {
		case !unicode.IsLetter(r), w != nil && own(*w), w == nil && latin && unicode.Is(unicode.Latin, r):
		default:
			return false
		}
	}
	return true
}

// hide are the words that no error may have: a name as it was typed, and as it is said.
type hide []string

// from replaces the words in a text that a voice sent.
func (h hide) from(text string) string {
	for _, word := range h {
		text = redact(text, word)
	}
	return text
}

// command runs a program. The text travels through stdin only: other processes can see arguments. The error has neither
// the name nor the other forms of it.
func (v VoiceConfig) command(ctx context.Context, folder, text, name, lang, out string, forms ...string) error {
	c := child{argv: v.Command, feed: true,
		env: []string{"TMPDIR=" + folder, "RETAKE_LANG=" + lang, "RETAKE_OUTPUT=" + out}}
	switch {
	case v.Engine == VoiceRHVoice:
		c.argv = v.rhvoiceCommand(lang, out)
	case v.isEspeak():
		c.argv = espeakCommand(lang, out)
		text = espeakText(text, lang, espeakPhonemes(ctx))
	}
	p, err := start(ctx, c)
	if err != nil {
		return fmt.Errorf("%w: %w", errAway, err)
	}
	_, err = p.stdin.Write([]byte(text))
	err = errors.Join(err, p.stdin.Close())
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, fs.ErrClosed) {
		err = nil // it ended, or needed no more of the text: how it ended says whether that is an error
	}
	ended := p.wait()
	var exit *exitError
	if errors.As(ended, &exit) {
		exit.stderr = append(hide{name}, forms...).from(exit.stderr)
	}
	if ended != nil {
		return ended
	}
	return err
}

// errAway marks a voice that nobody reached: the text cannot be the reason.
var errAway = errors.New("the voice is away")

// clips is the folder of the clips that are kept. Each begins with the hash of the name that it says, so that it can be
// found.
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
	switch {
	case v.isEspeak():
		argv = espeakCommand(lang, "")
	case v.Engine == VoiceRHVoice:
		argv = v.rhvoiceCommand(lang, "")
	case v.Engine == VoiceHTTP:
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
