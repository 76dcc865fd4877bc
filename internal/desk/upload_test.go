// Tests of what the first bytes of a file tell.

package desk

import "testing"

func TestTheFirstBytesTellTheKind(t *testing.T) {
	const ebml = "\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01"
	for head, want := range map[string]string{
		"\x00\x00\x00\x20ftypisom\x00\x00":            "mp4",
		"\x00\x00\x00\x20ftypM4V \x00\x00":            "mp4",
		"\x00\x00\x00\x14ftypqt  \x00\x00":            "mov",
		"\x00\x00\x10\x00moov\x00\x00\x00\x6c":        "mov", // before there was ftyp
		"\x00\x00\x00\x08wide\x00\x00\x00\x00":        "mov",
		ebml + "\x42\x82\x84webm\x42\x87\x81\x04":     "webm",
		ebml + "\x42\x82\x88matroska\x42\x87\x81\x04": "mkv",
		ebml + "\x42\x82\x83xml":                      "",
		"RIFF\x00\x00\x00\x00AVI LIST":                "",
		"<!doctype html><title>ftyp":                  "",
		"GIF89a\x00\x00\x00\x00\x00\x00":              "",
		"\x00\x00\x00\x20ftyp":                        "",
		"":                                            "",
	} {
		if got := kindOf([]byte(head)); got != want {
			t.Errorf("%q: got %q; want %q", head, got, want)
		}
	}
}

func TestAMatroskaFileTellsItsLength(t *testing.T) {
	const begin = "\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67"
	for name, c := range map[string]struct {
		head string
		size int64
		cut  bool
	}{
		"it is whole":                 {begin + "\x01\x00\x00\x00\x00\x00\x00\x05", 22, false},
		"something follows":           {begin + "\x01\x00\x00\x00\x00\x00\x00\x05", 30, false},
		"a byte is missing":           {begin + "\x01\x00\x00\x00\x00\x00\x00\x05", 21, true},
		"it was never closed":         {begin + "\x01\xff\xff\xff\xff\xff\xff\xff", 21, false},
		"its length is written short": {begin + "\x85", 10, false},
		"the head ends there":         {begin + "\x01\x00", 11, false},
	} {
		if got := isCut([]byte(c.head), c.size); got != c.cut {
			t.Errorf("%s: got %v; want %v", name, got, c.cut)
		}
	}
}
