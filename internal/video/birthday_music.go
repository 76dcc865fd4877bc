// birthday_music.go plays the music of the scene "birthday": a merry tune of our own on a toy piano and a music box.

package video

const (
	partyBeat  = 0.5  // seconds
	partyStart = 0.25 // second
)

// tune is sixteen beats in C; the last one leads back to the keynote.
var tune = []note{
	{19, 0.5}, {16, 0.5}, {19, 0.5}, {24, 1}, {23, 0.5}, {21, 0.5}, {19, 0.5},
	{21, 0.5}, {17, 0.5}, {21, 0.5}, {24, 1}, {21, 0.5}, {19, 1},
	{17, 0.5}, {19, 0.5}, {21, 1}, {16, 0.5}, {17, 0.5}, {19, 1},
	{14, 0.5}, {16, 0.5}, {17, 0.5}, {21, 0.5}, {19, 0.5}, {17, 0.5}, {14, 0.5}, {11, 0.5},
}

// steps accompany the tune, two beats each: the bass on the first, the two other tones on the second.
var steps = [][3]int{
	{-12, 4, 7}, {-5, 4, 7}, {-7, 5, 9}, {-12, 4, 7},
	{-10, 5, 9}, {-8, 4, 7}, {-5, 5, 11}, {-5, 2, 5},
}

var (
	// A toy piano strikes steel rods: a short bright tone with partials far above it.
	rod = []partial{{1, 0.27, 4.2}, {2, 0.10, 6}, {3.02, 0.05, 8}, {5.9, 0.035, 16}, {9.2, 0.015, 26}}
	// A tap of a wooden stick keeps the beat.
	stick = []partial{{1, 0.030, 60}, {1.7, 0.022, 75}, {2.9, 0.015, 90}}
)

// music makes the music of the whole film: the tune as often as there is time for it. Bells announce the name and the
// farewell.
func (s *party) music() stereo {
	dry := newStereo(float64(s.seconds))
	at := partyStart
	const round = 16 * partyBeat
	for at+round < float64(s.seconds) {
		dry.playTune(at)
		at += round
	}
	dry.strike(at, -12, harp, 2, 0)
	for i, tone := range []int{0, 4, 7, 12, 16, 19, 24} { // a last chord, rolled
		dry.strike(at+0.045*float64(i), tone, rod, 0.55, 0.12*float64(i)-0.36)
	}
	dry.strike(at, 12, comb, 0.9, 0)
	dry.chime(float64(s.name), 24)
	dry.chime(float64(s.farewell), 19) // over the chord that leads home
	wet := reverb(dry)
	wet.fadeOut(0.9)
	wet.level(0.56)
	return wet
}

// playTune plays the tune once.
func (s stereo) playTune(at float64) {
	start := at
	for i, n := range tune {
		strength := 0.92
		if i == 0 || n.beats == 1 {
			strength = 1
		}
		s.strike(at, n.tone, rod, strength, -0.05)
		s.strike(at+0.008, n.tone+12, comb, 0.28, 0.2) // the music box doubles it
		at += n.beats * partyBeat
	}
	for i, c := range steps {
		on := start + float64(2*i)*partyBeat
		s.strike(on, c[0], harp, 1.9, -0.15)
		s.strike(on+partyBeat, c[1], harp, 0.9, -0.3)
		s.strike(on+partyBeat, c[2], harp, 0.9, 0.3)
		s.strike(on+1.5*partyBeat, c[1]+12, harp, 0.5, 0.3)
		s.strike(on+partyBeat, 43, stick, 1, 0.25)
		s.strike(on+1.5*partyBeat, 47, stick, 0.6, -0.25)
	}
}
