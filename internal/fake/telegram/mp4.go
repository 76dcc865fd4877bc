// Looking into an MP4: has it sound, how large is the picture, how long is it.

package telegram

import "encoding/binary"

// seen is what a look into an MP4 tells.
type seen struct {
	sound         bool
	width, height int
	seconds       int
}

// inspect walks through the boxes of an MP4; ok is false when it is none.
func inspect(data []byte) (info seen, ok bool) {
	if len(data) < 12 || string(data[4:8]) != "ftyp" {
		return seen{}, false
	}
	boxes(data, func(name string, body []byte) {
		if name == "moov" {
			info.movie(body)
		}
	})
	return info, true
}

func (i *seen) movie(moov []byte) {
	boxes(moov, func(name string, body []byte) {
		switch name {
		case "mvhd":
			i.length(body)
		case "trak":
			i.track(body)
		}
	})
}

func (i *seen) track(trak []byte) {
	boxes(trak, func(name string, body []byte) {
		switch name {
		case "tkhd":
			// Width and height are the last two fields, as 16.16 fixed point;
			// the track with sound has zeros there.
			if n := len(body); n >= 84 {
				w, h := binary.BigEndian.Uint16(body[n-8:]), binary.BigEndian.Uint16(body[n-4:])
				i.width, i.height = max(i.width, int(w)), max(i.height, int(h))
			}
		case "mdia":
			boxes(body, func(name string, body []byte) {
				if name == "hdlr" && len(body) >= 12 && string(body[8:12]) == "soun" {
					i.sound = true
				}
			})
		}
	})
}

// length reads the movie header: times are 32 bits in version 0, else 64.
func (i *seen) length(mvhd []byte) {
	var scale, duration uint64
	switch {
	case len(mvhd) >= 20 && mvhd[0] == 0:
		scale, duration = uint64(binary.BigEndian.Uint32(mvhd[12:])), uint64(binary.BigEndian.Uint32(mvhd[16:]))
	case len(mvhd) >= 32 && mvhd[0] == 1:
		scale, duration = uint64(binary.BigEndian.Uint32(mvhd[20:])), binary.BigEndian.Uint64(mvhd[24:])
	}
	if scale > 0 {
		i.seconds = int((duration + scale/2) / scale)
	}
}

// boxes calls each with every box at this level and stops at the first one
// that does not fit.
func boxes(data []byte, each func(name string, body []byte)) {
	for len(data) >= 8 {
		size, head := uint64(binary.BigEndian.Uint32(data)), uint64(8)
		name := string(data[4:8])
		switch size {
		case 0: // to the end of the file
			size = uint64(len(data))
		case 1: // the real size follows in 64 bits
			if len(data) < 16 {
				return
			}
			size, head = binary.BigEndian.Uint64(data[8:]), 16
		}
		if size < head || size > uint64(len(data)) {
			return
		}
		each(name, data[head:size])
		data = data[size:]
	}
}
