// say_test.go has names said on their own.

package video

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSay_IsAVoiceMessageAndUsesTheClips(t *testing.T) {
	log := filepath.Join(t.TempDir(), "asked")
	m, proven := voiceMaker(t, `cat >>"`+log+`"; cp "`+beep(t)+`" "$RETAKE_OUTPUT"`)
	m.tools = proven
	if !m.Speaks() {
		t.Fatal("got no voice; want one")
	}
	for range 2 {
		said, err := m.Say(t.Context(), "Маша", "ru")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(said.Ogg, []byte("OggS")) || !bytes.Contains(said.Ogg, []byte("OpusHead")) ||
			bytes.Contains(said.Ogg, []byte("Маша")) {
			t.Errorf("got %d bytes; want OGG with OPUS without the name in it", len(said.Ogg))
		}
		if said.Length < 900*time.Millisecond || said.Length > 1100*time.Millisecond {
			t.Errorf("got %v; want a second", said.Length)
		}
	}
	if asked, err := os.ReadFile(log); err != nil || strings.TrimSpace(string(asked)) != "Маша!" {
		t.Errorf("got the voice asked for %q, %v; want the name, once", asked, err)
	}
	wantNoRest(t, m, 1)
}

func TestSay_WhatNoVoiceCanReadIsUnsayable(t *testing.T) {
	proven, err := provenTools()
	if err != nil {
		t.Fatal(err)
	}
	onlyPrograms(t, rhvoice) // no espeak-ng, which reads everything
	m := newMaker(t, func(cfg *Config) { cfg.Voice = VoiceConfig{Engine: VoiceRHVoice} })
	m.tools = proven
	if !m.Speaks() {
		t.Error("got no voice; want RHVoice")
	}
	if _, err := m.Say(t.Context(), "小明", "ru"); !errors.Is(err, ErrUnsayable) {
		t.Errorf("got %v; want that nobody can say it", err)
	}
	if m := newMaker(t, func(*Config) {}); m.Speaks() {
		t.Error("without a voice: got one")
	}
}
