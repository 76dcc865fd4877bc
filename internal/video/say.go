// say.go says a name on its own, so that people hear it before a video is made of it.

package video

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrUnsayable is the error of a name that no voice here can say.
var ErrUnsayable = errors.New("no voice here can say this name")

// Saying is a spoken name.
type Saying struct {
	Ogg    []byte // with OPUS, one channel
	Length time.Duration
}

// mostOgg is how many bytes a spoken name may have: a second has about 5,000.
const mostOgg = 1 << 20

// Speaks reports whether there is a voice here that says names.
func (m *Maker) Speaks() bool {
	return m.draws() && slices.ContainsFunc(m.cfg.Voice.voices(), func(v VoiceConfig) bool { return v.present() == nil })
}

// Say says a name as a video would, or finds what was said.
func (m *Maker) Say(ctx context.Context, name, lang string) (Saying, error) {
	t, err := m.ready(ctx)
	if err != nil {
		return Saying{}, err
	}
	done, err := m.core(ctx)
	if err != nil {
		return Saying{}, err
	}
	defer done()
	clip, _, err := m.speak(ctx, t, func(name string) string { return name + "!" }, name, lang)
	switch {
	case err != nil:
		return Saying{}, fmt.Errorf("say a name: %w", err)
	case len(clip) == 0:
		return Saying{}, ErrUnsayable
	}
	ogg := &limited{left: mostOgg}
	args := slices.Concat([]string{"-f", "s16le", "-ar", fmt.Sprint(soundRate), "-ac", "1", "-i", "pipe:0", "-c:a",
		"libopus", "-b:a", "40k", "-application", "voip"}, nothingElse[:4], t.oneThread(), []string{"-f", "ogg", "pipe:1"})
	p, err := start(ctx, child{argv: t.command(args), stdout: ogg, feed: true, tool: true})
	if err != nil {
		return Saying{}, err
	}
	_, err = p.stdin.Write(samplesBytes(clip))
	if err = errors.Join(err, p.stdin.Close(), p.wait()); err != nil {
		return Saying{}, fmt.Errorf("encode what was said: %w", err)
	}
	return Saying{ogg.Bytes(), time.Duration(len(clip)) * time.Second / soundRate}, nil
}
