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
	sprigs    []sprig // before the lens
	short     shots
	long      shots
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
		sprigs: []sprig{{-60, 1290, -0.52, 330, 1}, {790, 1310, -2.70, 340, 1}, {-50, 20, 0.62, 250, 0.8},
			{770, 10, 2.55, 240, 0.8}},
		short: shots{
			{0, framing{330, 770, 1.34}, framing{360, 640, 1}, 0.1, 1.9},
			{4.67, framing{316, 752, 1.32}, framing{}, 0, 0},
			{6.5, framing{360, 640, 1}, framing{360, 690, 1.16}, 6.6, 8.2},
		},
		long: shots{
			{0, framing{170, 900, 2.2}, framing{198, 868, 1.88}, 0, 3.3},
			{3.3, framing{366, 905, 1.75}, framing{360, 800, 1.5}, 3.4, 5.6},
			{6.2, framing{360, 640, 1}, framing{}, 0, 0},
			{8.99, framing{316, 752, 1.32}, framing{}, 0, 0},
			{10.7, framing{300, 780, 1.45}, framing{360, 640, 1}, 10.8, 13.1},
			{13.31, framing{360, 690, 1.16}, framing{360, 640, 1}, 13.4, 15.8},
		},
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
		sprigs: []sprig{{-60, 740, -0.45, 330, 1}, {1350, 760, -2.75, 330, 1}, {-40, 0, 0.62, 220, 0.7},
			{1330, 0, 2.55, 220, 0.7}},
		short: shots{
			{0, framing{740, 400, 1.26}, framing{640, 360, 1}, 0.1, 1.9},
			{4.67, framing{690, 392, 1.24}, framing{}, 0, 0},
			{6.5, framing{640, 360, 1}, framing{680, 370, 1.1}, 6.6, 8.2},
		},
		long: shots{
			{0, framing{345, 500, 1.9}, framing{402, 470, 1.6}, 0, 3.3},
			{3.3, framing{910, 480, 1.75}, framing{850, 400, 1.5}, 3.4, 5.6},
			{6.2, framing{640, 360, 1}, framing{}, 0, 0},
			{8.99, framing{690, 392, 1.24}, framing{}, 0, 0},
			{10.7, framing{720, 400, 1.3}, framing{640, 360, 1}, 10.8, 13.1},
			{13.31, framing{680, 370, 1.1}, framing{640, 360, 1}, 13.4, 15.8},
		},
	}
)

// How far away the parts of the night are: 1 is the tree. See framing.through.
const (
	depthOfSky    = 0.06
	depthOfFar    = 0.35 // the first hill
	depthOfMiddle = 0.65 // the cottage's
	depthOfSprigs = 1.8
)

// winterNight is all that the frames are made of. It is read-only once made.
type winterNight struct {
	night
	story
	shots             shots
	sky               *canvas
	far, middle, near *cutout // hills with all that stands on them
	wires             *cutout
	branches          []*cutout // before the lens
	stars             []star
	garland, lamps    []lamp // lamps: of the tree
	windows           []point
	flakes            []flake
	bursts            []firework
	chimney           point
	top               point   // where the tree's star is
	flakeSpots        []*spot // by size
	glow, aura        *spot
	smoke             *spot
}

// newYear makes the scene: it draws all that stands still and throws the dice for all that moves, always the same way.
func newYear(w, h int, plot story) *scene {
	r := rand.New(rand.NewPCG(7, 24))
	s := &winterNight{
		night:      uprightNight,
		story:      plot,
		sky:        newCanvas(w, h),
		flakeSpots: newFlakeSpots(),
		glow:       newSpot(46, 3),
		aura:       newSpot(150, 2.4),
		smoke:      newSpot(26, 1.6),
	}
	if w > h {
		s.night = wideNight
	}
	s.shots = s.short
	if plot == longStory {
		s.shots = s.long
	}
	s.drawSky(r)
	s.stars = s.newStars(r)
	s.drawLand(r)
	s.garland = s.hangGarland(r)
	for _, b := range s.sprigs {
		s.branches = append(s.branches, b.draw())
	}
	s.flakes = s.newSnow(r)
	s.bursts = s.newFireworks(r)
	return &scene{
		story:  plot,
		draw:   s.draw,
		music:  func() stereo { return jingle(float64(s.seconds), float64(s.name), plot == longStory) },
		dither: newDither(),
	}
}

func (s *winterNight) draw(c *canvas, n int) {
	t := float32(n) / sceneRate
	at := s.shots.camera(t)
	from := func(depth float32) { c.view = at.through(depth, s.w, s.h) }
	from(depthOfSky)
	c.project(s.sky)
	s.drawStars(c, t)
	s.drawShow(c, t)
	from(depthOfFar)
	c.put(s.far)
	from(depthOfMiddle)
	c.put(s.middle)
	s.drawCottageLight(c, t)
	from(1)
	c.put(s.near)
	s.drawLamps(c, s.lamps, t)
	c.light(s.aura, s.top.x, s.top.y, rgb{255, 206, 110}, s.starlight(t))
	c.put(s.wires)
	s.drawLamps(c, s.garland, t)
	s.drawSnow(c, at, t)
	from(depthOfSprigs)
	for _, b := range s.branches {
		c.paste(b, b.x, b.y, 1, at.clear())
	}
	c.view = upright
	c.curtain(s.dusk(t))
}

// starlight is how bright the tree's star shines: it comes on last, and answers the voice.
func (s *winterNight) starlight(t float32) float32 {
	on := smooth(s.lights+2, s.lights+2.5, t)
	return on * (0.16 + 0.03*sin(t*2.1) + 0.28*s.answer(t) + 0.5*(1-smooth(0, 0.9, abs(t-s.lights-2.5))))
}
