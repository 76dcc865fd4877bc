// h264_test.go reads what encoders say of their streams, and finds streams that lie.

package video

import (
	"encoding/binary"
	"errors"
	"path/filepath"
	"slices"
	"testing"
)

func TestH264_ParameterSetsSayWhatTheFilmIs(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want sps
	}{
		"plain": {[]string{"-pix_fmt", "yuv420p"}, sps{profile: 100, chroma: 1, depth: 8, progressive: true,
			width: 64, height: 48, transfer: 2}},
		"baseline": {[]string{"-pix_fmt", "yuv420p", "-profile:v", "baseline"}, sps{profile: 66, chroma: 1,
			depth: 8, progressive: true, width: 64, height: 48, transfer: 2}},
		"cropped": {[]string{"-pix_fmt", "yuv420p", "-vf", "scale=50:30,setsar=1"}, sps{profile: 100, chroma: 1,
			depth: 8, progressive: true, width: 50, height: 30, transfer: 2}},
		"10 bits": {[]string{"-pix_fmt", "yuv420p10le"}, sps{profile: 110, chroma: 1, depth: 10, progressive: true,
			width: 64, height: 48, transfer: 2}},
		"4:2:2": {[]string{"-pix_fmt", "yuv422p"}, sps{profile: 122, chroma: 2, depth: 8, progressive: true,
			width: 64, height: 48, transfer: 2}},
		"4:4:4": {[]string{"-pix_fmt", "yuv444p"}, sps{profile: 244, chroma: 3, depth: 8, progressive: true,
			width: 64, height: 48, transfer: 2}},
		"interlaced": {[]string{"-pix_fmt", "yuv420p", "-flags", "+ildct+ilme"}, sps{profile: 100, chroma: 1,
			depth: 8, width: 64, height: 48, transfer: 2}},
		"HDR": {[]string{"-pix_fmt", "yuv420p", "-color_trc", "smpte2084"}, sps{profile: 100, chroma: 1,
			depth: 8, progressive: true, width: 64, height: 48, transfer: 16}},
		"matrices": {[]string{"-pix_fmt", "yuv420p", "-x264-params", "cqm=jvt"}, sps{profile: 100, chroma: 1,
			depth: 8, progressive: true, width: 64, height: 48, transfer: 2}},
		"ours": {slices.Clone(clipVideo), sps{profile: 100, chroma: 1, depth: 8, progressive: true, width: 64,
			height: 48, transfer: 1}},
	} {
		got, lengthSize, err := parameterSets(open(t, clip(t, 3, c.args...)).track("vide").avcC())
		c.want.level, c.want.sar, c.want.frameNumBits = got.level, [2]uint32{1, 1}, got.frameNumBits
		if err != nil || lengthSize != 4 || got != c.want {
			t.Errorf("%s: got %+v, %d, %v; want %+v", name, got, lengthSize, err, c.want)
		}
	}
}

func TestH264_DamagedParameterSetsAreErrors(t *testing.T) {
	avcC := open(t, clip(t, 3, clipVideo...)).track("vide").avcC()
	for n := range avcC {
		_, _, _ = parameterSets(avcC[:n]) // does not panic
		spoilt := slices.Clone(avcC)
		spoilt[n] ^= 0xff
		_, _, _ = parameterSets(spoilt)
	}
	if _, _, err := parameterSets(avcC[:12]); err == nil {
		t.Error("got nil for a part; want an error")
	}
}

func TestLevel_IsTheLowestThatHasRoom(t *testing.T) {
	for _, c := range []struct {
		w, h int
		r    rate
		want string
	}{
		{64, 64, rate{30, 1}, "4.0"}, {720, 1280, rate{60, 1}, "4.0"}, {1920, 1080, rate{30, 1}, "4.0"}, {1920, 1080,
			rate{60, 1}, "4.2"},
		{1080, 1920, rate{60000, 1001}, "4.2"}, {1920, 1920, rate{25, 1}, "5.0"}, {1920, 1920, rate{60, 1},
			"5.1"}, {1920, 1440, rate{50, 1}, "5.0"},
		{3840, 2160, rate{60, 1}, "5.2"},
	} {
		if got := levelOf(c.w, c.h, c.r); got != c.want {
			t.Errorf("%d×%d at %v: got %s; want %s", c.w, c.h, c.r, got, c.want)
		}
	}
}

func TestRate_IsAMultipleOrAPartOfTheFilms(t *testing.T) {
	for given, want := range map[string]rate{
		"15/1": {30, 1}, "15000/1001": {30000, 1001}, "12/1": {24, 1}, "25/2": {25, 1}, "10/1": {30, 1}, "20/1": {60,
			1}, "5/1": {25, 1}, "8/1": {24, 1},
		"30/1": {30, 1}, "30000/1001": {30000, 1001}, "2997/100": {30000, 1001}, "24/1": {24,
			1}, "24000/1001": {24000, 1001}, "25/1": {25, 1},
		"120/1": {60, 1}, "240/1": {60, 1}, "100/1": {50, 1}, "120000/1001": {60000, 1001}, "90/1": {30,
			1}, "26/1": {25, 1}, "59/1": {60000, 1001}, "18/1": {30, 1}, "7/1": {30, 1},
	} {
		if got, err := nearestRate(given); err != nil || got != want {
			t.Errorf("%s: got %v, %v; want %v", given, got, err, want)
		}
	}
	for _, none := range []string{"", "0/0", "0/1", "1/0", "-1/1", "x"} {
		if got, err := nearestRate(none); err == nil {
			t.Errorf("%q: got %v; want an error", none, got)
		}
	}
}

func TestH264_AStreamThatLosesOrMixesUpPicturesIsNotPlain(t *testing.T) {
	path := clipWithSound(t)
	whole := open(t, path)
	pictures := *whole.track("vide")
	if m, _, err := provePlain(path); err != nil {
		t.Fatalf("got %v; want it proved", err)
	} else {
		m.close()
	}
	for name, change := range map[string]func(s []sample) []sample{
		"without one that others refer to": func(s []sample) []sample {
			for i, q := range s { // of three between two others, nobody refers to any: it is larger
				if i > 0 && q.size > s[i+1].size {
					return slices.Delete(s, i, i+1)
				}
			}
			return nil
		},
		"with one twice":      func(s []sample) []sample { return slices.Insert(s, 1, s[1]) },
		"in another order":    func(s []sample) []sample { s[1], s[5] = s[5], s[1]; return s },
		"that begins with it": func(s []sample) []sample { s[1].sync = true; return s[1:] },
	} {
		spoilt, sound := pictures, *whole.track("soun")
		spoilt.samples = change(slices.Clone(pictures.samples))
		out := filepath.Join(t.TempDir(), "spoilt.mp4")
		if err := whole.only(&spoilt, &sound).write(out); err != nil {
			t.Fatal(err)
		}
		if m, _, err := provePlain(out); err == nil {
			m.close()
			t.Errorf("%s: got it proved; want doubt", name)
		} else if !errors.Is(err, errDoubt) {
			t.Errorf("%s: got %v; want doubt", name, err)
		}
	}
}

func TestH264_DamagedSlicesAreErrors(t *testing.T) {
	m := open(t, clip(t, 3, "-pix_fmt", "yuv420p"))
	v := m.track("vide")
	s, lengthSize, err := parameterSets(v.avcC())
	if err != nil {
		t.Fatal(err)
	}
	whole := make([]byte, v.samples[0].size)
	if _, err := m.file.ReadAt(whole, v.samples[0].offset); err != nil {
		t.Fatal(err)
	}
	check := func(b []byte) error {
		q := sequence{sps: s, sets: v.avcC(), pictures: pictureSets(v.avcC()), lengthSize: lengthSize}
		return q.check(b, true)
	}
	if err := check(whole); err != nil {
		t.Fatalf("got %v; want nil", err)
	}
	at := 0 // of the slice: after what the encoder says of itself
	for whole[at+lengthSize]&0x1f != nalIDR {
		at += lengthSize + int(binary.BigEndian.Uint32(whole[at:]))
	}
	for name, change := range map[string]func(b []byte){
		"another length":     func(b []byte) { b[at+3]++ },
		"the forbidden bit":  func(b []byte) { b[at+4] |= 0x80 },
		"a kind of data":     func(b []byte) { b[at+4] = b[at+4]&^0x1f | 2 },
		"none refers to it":  func(b []byte) { b[at+4] &^= 0x60 },
		"begins in midst":    func(b []byte) { b[at+5] &= 0x7f },
		"refers to others":   func(b []byte) { b[at+5] = 0x98 }, // 1 00110 00: the kind 5
		"of other sets":      func(b []byte) { b[at+6] &^= 0x80 },
		"nothing at its end": func(b []byte) { b[len(b)-1] = 0 },
	} {
		b := slices.Clone(whole)
		change(b)
		if err := check(b); err == nil {
			t.Errorf("%s: got nil; want an error", name)
		}
	}
	for n := range whole {
		_ = check(whole[:n]) // does not panic
	}
}
