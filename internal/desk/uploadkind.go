// Which kind of video a file is by its first bytes, and whether it is cut short.

package desk

import (
	"bytes"
	"encoding/binary"
	"io"
)

// kindOf tells by its first bytes which kind of video a file wants to be; "" if none that is taken.
func kindOf(head []byte) string {
	if len(head) < 12 {
		return ""
	}
	switch box, brand := string(head[4:8]), string(head[8:12]); {
	case box == "ftyp" && brand != "qt  ":
		return "mp4"
	case box == "ftyp", box == "moov", box == "mdat", box == "wide", box == "free", box == "skip", box == "pnot":
		return "mov" // QuickTime knew files without ftyp
	}
	if !bytes.HasPrefix(head, []byte("\x1a\x45\xdf\xa3")) {
		return ""
	}
	switch { // the DocType of EBML, with its length
	case bytes.Contains(head, []byte("\x42\x82\x84webm")):
		return "webm"
	case bytes.Contains(head, []byte("\x42\x82\x88matroska")):
		return "mkv"
	}
	return ""
}

// extraKindOf tells by its first bytes which picture, sound or font of a template a file wants to be; "" if none.
func extraKindOf(head []byte) string {
	for _, k := range []struct{ begins, kind string }{{"\x89PNG\r\n\x1a\n", "png"}, {"\xff\xd8\xff", "jpg"},
		{"\x00\x01\x00\x00", "ttf"}, {"true", "ttf"}, {"OTTO", "otf"}, {"ttcf", "ttc"}, {"ID3", "mp3"}, {"\xff\xfb", "mp3"},
		{"\xff\xf3", "mp3"}, {"\xff\xf2", "mp3"}, {"OggS", "ogg"}, {"fLaC", "flac"}} {
		if bytes.HasPrefix(head, []byte(k.begins)) {
			return k.kind
		}
	}
	switch {
	case len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WAVE":
		return "wav"
	case len(head) >= 12 && string(head[4:8]) == "ftyp" && string(head[8:11]) == "M4A":
		return "m4a"
	}
	return ""
}

// isCut reports whether a file says that it is longer than it is: players play what is there, and decoders do not mind.
func isCut(file io.ReaderAt, kind string, size int64) bool {
	switch kind {
	case "mp4", "mov", "m4a":
	case "webm", "mkv":
		return isCutMatroska(file, size)
	default: // decoders tell
		return false
	}
	var box [16]byte // its length, its name, and its length once more if that is long
	for at, boxes := int64(0), 0; at+8 <= size && boxes < 1<<20; boxes++ {
		file.ReadAt(box[:], at) // the last may be shorter
		length := int64(binary.BigEndian.Uint32(box[:]))
		if length == 1 {
			length = int64(binary.BigEndian.Uint64(box[8:]))
		}
		if length < 8 { // the last one, or none: that is ffprobe's concern
			return false
		}
		if length > size-at {
			return true
		}
		at += length
	}
	return false
}

// isCutMatroska looks at the length of the segment, which is the rest of the file. A recording that was never closed
// does not say how long it is.
func isCutMatroska(file io.ReaderAt, size int64) bool {
	head := make([]byte, 512)
	n, _ := file.ReadAt(head, 0)              // it may be shorter
	segment := []byte("\x18\x53\x80\x67\x01") // with a length of seven bytes
	at := bytes.Index(head[:n], segment)
	if at < 0 || at+12 > n {
		return false
	}
	const unknown = 1<<56 - 1
	length := int64(binary.BigEndian.Uint64(head[at+4:]) & unknown)
	return length != unknown && int64(at)+12+length > size
}
