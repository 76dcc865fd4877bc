// stage.go is how the built-in scenes are filmed: what happens when, the shots, and a camera for which what is near
// passes faster than what is far.

package video

// story is what happens when in a scene: all times are seconds.
type story struct {
	seconds  float32
	lights   float32 // the lamps of the tree, or the candles of the cake, are lit from then on
	name     float32 // the name appears: the music announces it
	voice    float32 // it is spoken, as a rule
	farewell float32 // it has gone, and the farewell appears
	again    float32 // and the name once more, to the end
}

// The scenes come in two lengths. In the short one everything is lit already, as its first frame is all that there is
// before the name.
var (
	shortStory = story{seconds: 10, lights: -4, name: 2, voice: 2.7, farewell: 6.5, again: 8.3}
	longStory  = story{seconds: 18, lights: 3.3, name: 6.2, voice: 6.9, farewell: 13.2, again: 16}
)

// frames is how many frames a story lasts.
func (s story) frames() int { return int(s.seconds*sceneRate + 0.5) }

// shot is what the camera shows from a second on: it rests in a framing, goes to another between two seconds, and rests
// there.
type shot struct {
	at         float32
	from, to   framing
	begin, end float32
}

// framing is what the camera shows: the place in the middle of the picture, and how close it is. 1 is the whole scene.
type framing struct{ x, y, close float32 }

// shots are the shots of a film in their order.
type shots []shot

// camera returns the framing of a second. While a name is shown it changes only by cuts, because a picture that moves
// is what takes an encoder's time.
func (s shots) camera(t float32) framing {
	now := s[0]
	for _, q := range s {
		if q.at <= t {
			now = q
		}
	}
	if now.end <= now.begin {
		return now.from
	}
	k := smooth(now.begin, now.end, t)
	a, b := now.from, now.to
	return framing{a.x + (b.x-a.x)*k, a.y + (b.y-a.y)*k, a.close + (b.close-a.close)*k}
}

// through is how a picture of w×h pixels shows what lies at a depth: 0 is so far away that it never moves, 1 is where
// the framing is meant, and more is before it.
func (f framing) through(depth, w, h float32) view {
	k := 1 + (f.close-1)*depth
	x, y := w/2, h/2
	return view{k, x - (x+(f.x-x)*depth)*k, y - (y+(f.y-y)*depth)*k}
}

// clear is how much is seen of what lies before the lens: close by it would hide what the camera came for.
func (f framing) clear() float32 { return 1 - smooth(1.34, 1.5, f.close) }

// dusk is how bright a scene, and everything written on it, still is at a second: it goes dark in its last half second.
// It begins in full light, because the first frame is what galleries show of a video.
func (s story) dusk(t float32) float32 { return 1 - 0.8*smooth(s.seconds-0.5, s.seconds-0.02, t) }

// answer is how much the lights of a scene answer the voice at a second, from 0 to 1.
func (s story) answer(t float32) float32 {
	q := t - s.voice
	return smooth(0, 0.25, q) * (1 - smooth(1.1, 1.9, q)) * (0.72 + 0.28*sin(q*11))
}

// curtain lets the film go into the dark.
func (c *canvas) curtain(k float32) {
	if k < 0.999 {
		c.dim(k)
	}
}

// dusking is drawn after everything that is written on a scene, and takes it into the dark with the scene.
type dusking struct{ story }

func (dusking) bounds(string) box      { return nothing }
func (dusking) shift(float32, float32) {}
func (d dusking) animate(o *overlay, _ string, now, _, _ float32) {
	if k := d.dusk(now); k < 0.999 {
		o.dim(k)
	}
}

// withDusk adds it to what a design shows, unless an author's film, which fades as it likes, lies below.
func (d *design) withDusk(things []shown) []shown {
	if d.scene == "" || len(things)+len(d.images) == 0 {
		return things
	}
	return append(things, shown{animated: dusking{scenes[d.scene].story}})
}
