// newyear.go is the scene "new-year": a winter night, a tree that lights up, fireworks for the farewell.

package video

import "math/rand/v2"

// night is how the scene is composed for one shape of the picture; in pixels, unless it says otherwise.
type night struct {
	w, h      float32
	horizon   float32 // where the sky is lightest: a share of the height
	hills     [3]hill
	haze      float32 // how far below its edge a hill has its lower colour
	moon      disc
	swags     int        // of the garland
	drop      float32    // how far a swag hangs through
	lampPace  float32    // seconds from one lamp of the garland to the next
	farFirs   int        // how many stand on the first hill
	nearFirs  int        // and on the second
	clear     [2]float32 // between these no near fir stands, for the cottage or the tree stands there
	grove     [2]float32 // where such a fir goes instead, and how wide the place is
	cottage   float32    // from the left edge
	tree      float32    // the same
	treeFoot  float32    // how far below the edge of the last hill it stands
	starAt    point      // where the shooting star begins
	starWay   point      // and how far it flies
	fireworks [6]point
}

// disc is a round thing: its middle and its radius.
type disc struct{ x, y, r float32 }

var (
	// On a phone the tree is in the middle, and the words have the sky above the moon.
	uprightNight = night{
		w: 720, h: 1280, horizon: 0.80, haze: 204.8,
		hills: [3]hill{
			{940.8, 38.4, 2.1, 1.3, rgb{138, 134, 200}, rgb{98, 104, 178}},
			{1017.6, 43.52, 1.6, 4.1, rgb{160, 168, 226}, rgb{100, 114, 194}},
			{1120, 35.84, 1.2, 2.2, rgb{198, 210, 250}, rgb{122, 140, 216}},
		},
		moon: disc{596, 654, 52}, swags: 2, drop: 92,
		farFirs: 16, nearFirs: 9, clear: [2]float32{40, 510}, grove: [2]float32{510, 210},
		cottage: 144, tree: 360, treeFoot: 62,
		starAt: point{700, 300}, starWay: point{-430, 150},
		fireworks: [6]point{{170, 205}, {560, 180}, {330, 150}, {600, 240}, {120, 235}, {350, 470}},
		lampPace:  0.05,
	}
	// On a wide screen the words have the left of the sky, and the tree stands to the right of them under the moon.
	wideNight = night{
		w: 1280, h: 720, horizon: 0.78, haze: 150,
		hills: [3]hill{
			{528, 30, 1.5, 1.3, rgb{138, 134, 200}, rgb{98, 104, 178}},
			{574, 30, 1.25, 4.1, rgb{160, 168, 226}, rgb{100, 114, 194}},
			{636, 26, 0.9, 2.2, rgb{198, 210, 250}, rgb{122, 140, 216}},
		},
		moon: disc{1196, 178, 44}, swags: 4, drop: 46,
		farFirs: 30, nearFirs: 20, clear: [2]float32{170, 1180}, grove: [2]float32{330, 370},
		cottage: 262, tree: 1052, treeFoot: 12,
		starAt: point{1010, 130}, starWay: point{-560, 170},
		fireworks: [6]point{{110, 200}, {880, 190}, {480, 140}, {856, 340}, {170, 300}, {480, 300}},
		lampPace:  0.025,
	}
)

// winterNight is all that the frames are made of. It is read-only once made.
type winterNight struct {
	night
	base       *canvas // all that stands still
	stars      []star
	lamps      []lamp // garland, then tree
	windows    []point
	flakes     []flake
	bursts     []firework
	chimney    point
	flakeSpots []*spot // by size
	glow       *spot
	smoke      *spot
}

// newYear makes the scene: it draws all that stands still and throws the dice for all that moves, always the same way.
func newYear(w, h int) *scene {
	r := rand.New(rand.NewPCG(7, 24))
	s := &winterNight{
		night:      uprightNight,
		base:       newCanvas(w, h),
		flakeSpots: newFlakeSpots(),
		glow:       newSpot(46, 3),
		smoke:      newSpot(26, 1.6),
	}
	if w > h {
		s.night = wideNight
	}
	s.drawSky(r)
	s.stars = s.newStars(r)
	ground := s.drawLand(r)
	s.base.light(newSpot(120, 2.5), ground.x, ground.y+34, rgb{255, 170, 90}, 0.22) // the cottage's light on the snow
	s.lamps = append(s.hangGarland(r), s.drawTree(r)...)
	s.flakes = s.newSnow(r)
	s.bursts = s.newFireworks(r)
	return &scene{
		frames: sceneFrames,
		draw:   s.draw,
		music:  func() stereo { return jingle(float64(sceneSeconds), float64(nameIn)) },
		dither: newDither(),
	}
}

func (s *winterNight) draw(c *canvas, n int) {
	t := float32(n) / sceneRate
	copy(c.pix, s.base.pix)
	s.drawStars(c, t)
	s.drawSmoke(c, t)
	s.drawLamps(c, t)
	s.drawShow(c, t)
	c.zoom(camera(t), point{s.tree, s.h * s.horizon})
	s.drawSnow(c, t) // falls before the lens, and does not come closer with the rest
	c.curtain(t)
}
