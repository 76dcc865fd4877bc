// aac_test.go reads the first bits of AAC packets and looks for where packets of two encoders can be joined.

package video

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// Beginnings of packets of two channels with a common window; the last bit of each is the shape of the window.
const (
	onlyLong   = "\x21\x00"
	longStart  = "\x21\x20"
	eightShort = "\x21\x40"
	longStop   = "\x21\x60"
	kaiser     = "\x21\x10"
	twoWindows = "\x20\x00" // no common window
	oneChannel = "\x01\x00"
	fill       = "\xc1\x00"
)

// packetTrack is a track of packets that begin in these ways.
func packetTrack(t *testing.T, beginnings ...string) *movie {
	t.Helper()
	path := filepath.Join(t.TempDir(), "packets")
	write(t, path, "")
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	s := track{handler: "soun"}
	for i, b := range beginnings {
		if _, err := f.WriteAt([]byte(b), int64(2*i)); err != nil {
			t.Fatal(err)
		}
		s.samples = append(s.samples, sample{file: f, offset: int64(2 * i), size: 2})
	}
	return &movie{file: f, tracks: []track{s}}
}

func TestSlopeOfAPacketIsThatOfItsLaterHalf(t *testing.T) {
	for begin, want := range map[string]slope{
		onlyLong: longSine, longStop: longSine, longStart: shortSine, eightShort: shortSine,
		kaiser: longKaiser, "\x21\x70": longKaiser, "\x21\x30": shortKaiser, "\x21\x50": shortKaiser,
		"\x2f\x00": longSine, // another tag
		twoWindows: unknownSlope, oneChannel: unknownSlope, fill: unknownSlope,
	} {
		if got := slopeOf(packetTrack(t, begin).sound().samples[0]); got != want {
			t.Errorf("%08b: got %d; want %d", []byte(begin), got, want)
		}
	}
	for name, change := range map[string]func(*sample){
		"too short":       func(s *sample) { s.size = 1 },
		"not in the file": func(s *sample) { s.offset = 100 },
	} {
		s := packetTrack(t, onlyLong).sound().samples[0]
		change(&s)
		if got := slopeOf(s); got != unknownSlope {
			t.Errorf("%s: got %d; want unknown", name, got)
		}
	}
}

func TestJointIsWhereBothSidesFadeInTheSameWay(t *testing.T) {
	for name, c := range map[string]struct {
		old, new          []string
		from, first, last int
		step, want        int
	}{
		"at once": {[]string{onlyLong, onlyLong, onlyLong, onlyLong},
			[]string{onlyLong, onlyLong, onlyLong, onlyLong}, 0, 2, 1, -1, 2},
		"after a stop as after a long window": {[]string{onlyLong, longStop, onlyLong, onlyLong},
			[]string{onlyLong, onlyLong, onlyLong, onlyLong}, 0, 2, 1, -1, 2},
		"within an attack on both sides": {[]string{onlyLong, longStart, eightShort},
			[]string{onlyLong, eightShort, eightShort}, 0, 2, 1, -1, 2},
		"before an attack of the old": {[]string{onlyLong, onlyLong, longStart, eightShort, longStop},
			[]string{onlyLong, onlyLong, onlyLong, onlyLong, onlyLong}, 0, 4, 1, -1, 2},
		"before an attack of the new": {[]string{onlyLong, onlyLong, onlyLong, onlyLong},
			[]string{onlyLong, onlyLong, longStart, eightShort}, 0, 3, 1, -1, 2},
		"after an attack": {[]string{onlyLong, longStart, eightShort, longStop, onlyLong},
			[]string{onlyLong, onlyLong, onlyLong, onlyLong, onlyLong}, 0, 2, 5, +1, 4},
		"before another shape": {[]string{onlyLong, onlyLong, kaiser, onlyLong},
			[]string{onlyLong, onlyLong, onlyLong, onlyLong}, 0, 3, 1, -1, 2},
		"before what cannot be read": {[]string{onlyLong, onlyLong, twoWindows, onlyLong},
			[]string{onlyLong, onlyLong, twoWindows, onlyLong}, 0, 3, 1, -1, 2},
		"by the numbers of the old": {[]string{onlyLong, onlyLong, onlyLong, longStart, eightShort},
			[]string{onlyLong, onlyLong, onlyLong}, 2, 4, 3, -1, 3},
		"at the beginning, which joins nothing": {[]string{fill, longStart, onlyLong}, []string{fill, onlyLong, onlyLong},
			0, 2, 0, -1, 0},
		"at the end, which joins nothing": {[]string{onlyLong, longStart, longStart},
			[]string{onlyLong, onlyLong, onlyLong}, 0, 2, 3, +1, 3},
		"nowhere if it would have to go too far": {[]string{onlyLong, onlyLong, longStart, eightShort, longStop},
			[]string{onlyLong, onlyLong, onlyLong, onlyLong, onlyLong}, 0, 4, 3, -1, -1},
		"nowhere if it would have to go too far on": {[]string{onlyLong, longStart, eightShort, longStop, onlyLong},
			[]string{onlyLong, onlyLong, onlyLong, onlyLong, onlyLong}, 0, 2, 3, +1, -1},
	} {
		p := patch{from: packetTrack(t, c.new...)}
		if got := p.joint(packetTrack(t, c.old...).sound(), c.from, c.first, c.last, c.step); got != c.want {
			t.Errorf("%s: got %d; want %d", name, got, c.want)
		}
	}
}

func TestAACConfigIsReadWhateverElseIsInTheDescription(t *testing.T) {
	film, _ := soundFilm(t, tone(0.5, 440, -20))
	s := open(t, film).sound()
	config := s.aacConfig()
	if len(config) < 2 || config[0] != 0x11 || config[1] != 0x90 { // AAC LC, 48 kHz, two channels
		t.Fatalf("got %x; want it to begin with 1190", config)
	}
	at := bytes.Index(s.stsd, []byte("esds"))
	for n := range len(s.stsd) { // nothing is read beyond the end
		short := track{stsd: s.stsd[:n]}
		if got := short.aacConfig(); got != nil {
			t.Errorf("%d of %d bytes: got %x; want nothing", n, len(s.stsd), got)
		}
	}
	for i := at + 8; i < len(s.stsd); i++ { // nor does any other byte do harm
		for _, value := range []byte{0, 0x7f, 0x80, 0xff} {
			damaged := track{stsd: bytes.Clone(s.stsd)}
			damaged.stsd[i] = value
			damaged.aacConfig()
		}
	}
}
