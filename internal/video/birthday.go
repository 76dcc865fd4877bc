// birthday.go is the scene "birthday": a cake with burning candles, a bear who waves, confetti when the name appears.

package video

import "math/rand/v2"

// feast is how the party is composed for one shape of the picture, in pixels.
type feast struct {
	w, h       float32
	back, edge float32 // of the table: where it begins, and where its cloth falls down
	cake       point   // where its stand is
	cakeSize   float32
	swags      int     // of the bunting
	flags      int     // in each swag
	drop       float32 // how far a swag hangs through
	presents   []present
	cupcakes   []point
	guest      bear
	bunches    []bunch
	risers     []riser
	cannons    [2]point
	thrust     point    // how fast confetti leaves the left cannon; the right one is its mirror
	lens       []nearby // right before it
	short      shots
	long       shots
}

type present struct {
	at            point // the middle of its bottom
	w, h          float32
	paper, ribbon rgb
}

var (
	raspberry = rgb{226, 54, 104}
	coral     = rgb{255, 112, 92}
	amber     = rgb{255, 184, 66}
	mint      = rgb{72, 202, 164}
	sky       = rgb{76, 168, 240}
	lilac     = rgb{160, 116, 238}
	rose      = rgb{255, 138, 182}
	gilt      = rgb{255, 218, 132}
	cream     = rgb{255, 243, 224}

	partyColours = []rgb{coral, amber, mint, sky, rose, lilac}
)

var (
	// On a phone the cake is in the middle between two bunches of balloons, and the words have the wall above them.
	uprightFeast = feast{
		w: 720, h: 1280, back: 1080, edge: 1176, cake: point{360, 1122}, cakeSize: 1,
		swags: 2, flags: 6, drop: 74,
		presents: []present{
			{point{112, 1130}, 112, 92, sky, gilt},
			{point{190, 1156}, 72, 60, amber, raspberry},
			{point{640, 1132}, 116, 80, lilac, rose},
		},
		bunches: []bunch{
			{
				point{112, 1026},
				[]balloon{{-36, -318, 0.92, lilac}, {56, -342, 0.90, amber}, {-52, -214, 0.98, coral}, {44, -232, 1.06, mint}},
			},
			{
				point{640, 1040},
				[]balloon{{18, -334, 0.92, mint}, {-74, -348, 0.90, rose}, {26, -224, 1.00, sky}, {-68, -244, 1.06, raspberry}},
			},
		},
		guest: bear{point{548, 1160}, 0.92},
		risers: []riser{
			{
				0.0,
				8,
				1.5,
				raspberry,
			}, {1.3, 714, 1.6, lilac}, {6.2, 30, 1.5, sky}, {6.5, 694, 1.6, coral}, {7.3, 84, 1.1, amber}, {7.5, 660, 1.0, mint},
		},
		cannons: [2]point{{-16, 960}, {736, 960}}, thrust: point{720, -1620},
		lens: []nearby{{-8, 1226, 2.2, amber}, {742, 1262, 2.5, lilac}, {30, 1330, 2.6, raspberry}},
		short: shots{
			{0, framing{382, 792, 1.32}, framing{360, 640, 1}, 0.1, 1.9},
			{4.25, framing{424, 676, 1.24}, framing{}, 0, 0},
			{6.5, framing{360, 640, 1}, framing{360, 690, 1.16}, 6.6, 8.2},
		},
		long: shots{
			{0, framing{508, 902, 1.7}, framing{476, 850, 1.5}, 0, 3.2},
			{3.3, framing{360, 880, 2}, framing{360, 850, 1.6}, 3.4, 6},
			{6.2, framing{360, 640, 1}, framing{}, 0, 0},
			{8.25, framing{424, 676, 1.24}, framing{}, 0, 0},
			{10.7, framing{360, 860, 1.7}, framing{360, 840, 1.9}, 10.8, 13.1},
			{13.2, framing{360, 690, 1.16}, framing{360, 640, 1}, 13.3, 15.8},
		},
	}
	// On a wide screen the words have the left of the wall, and the cake stands to the right of them.
	wideFeast = feast{
		w: 1280, h: 720, back: 592, edge: 656, cake: point{988, 622}, cakeSize: 0.84,
		swags: 4, flags: 6, drop: 40,
		presents: []present{
			{point{110, 634}, 112, 88, sky, gilt},
			{point{196, 646}, 76, 58, amber, raspberry},
			{point{1186, 632}, 104, 68, lilac, rose},
			{point{284, 640}, 66, 72, raspberry, gilt},
		},
		guest:    bear{point{388, 646}, 0.90},
		cupcakes: []point{{604, 634}, {702, 644}, {506, 644}},
		bunches: []bunch{
			{
				point{1186, 554},
				[]balloon{{-34, -336, 0.84, rose}, {46, -322, 0.84, mint}, {-40, -230, 0.88, amber}, {42, -216, 0.92, raspberry}},
			},
		},
		risers: []riser{
			{
				0.0,
				6,
				1.5,
				raspberry,
			}, {1.2, 1272, 1.6, lilac}, {6.2, 24, 1.5, sky}, {6.5, 1252, 1.5, coral}, {7.2, 790, 0.9, amber},
		},
		cannons: [2]point{{-16, 620}, {1296, 620}}, thrust: point{1150, -1120},
		lens: []nearby{{-10, 700, 2, amber}, {1296, 706, 2.2, sky}},
		short: shots{
			{0, framing{740, 410, 1.3}, framing{640, 360, 1}, 0.1, 1.9},
			{4.25, framing{690, 396, 1.26}, framing{}, 0, 0},
			{6.5, framing{640, 360, 1}, framing{690, 376, 1.12}, 6.6, 8.2},
		},
		long: shots{
			{0, framing{420, 540, 2.1}, framing{470, 518, 1.8}, 0, 3.2},
			{3.3, framing{955, 440, 2}, framing{876, 430, 1.6}, 3.4, 6},
			{6.2, framing{640, 360, 1}, framing{}, 0, 0},
			{8.25, framing{690, 396, 1.26}, framing{}, 0, 0},
			{10.7, framing{876, 430, 1.6}, framing{900, 430, 1.8}, 10.8, 13.1},
			{13.2, framing{690, 376, 1.12}, framing{640, 360, 1}, 13.3, 15.8},
		},
	}
)

// How far away the parts of the room are: 1 is the cake. See framing.through.
const (
	depthOfWall    = 0.15
	depthOfBunting = 0.45
	depthOfBunches = 0.85
	depthOfLens    = 1.8
)

// party is all that the frames are made of. It is read-only once made.
type party struct {
	feast
	story
	shots    shots
	wall     *canvas
	table    *cutout // with all that stands on it
	cord     *cutout // of the bunting
	blurred  []*cutout
	discs    []bokeh
	blurs    []*spot // of the lights out of focus, by size
	bunting  []flag
	lamps    []lamp
	candles  []candle
	sparks   []fountain
	balloons map[rgb]*cutout
	risen    map[rgb]*cutout // the same, near the lens
	confetti []scrap
	glow     *spot
	warmth   *spot
}

// birthday makes the scene: it draws all that stands still and throws the dice for all that moves, always the same way.
func birthday(w, h int, plot story) *scene {
	r := rand.New(rand.NewPCG(3, 11))
	s := &party{feast: uprightFeast, story: plot, wall: newCanvas(w, h), glow: newSpot(34, 3), warmth: newSpot(190, 2.2)}
	if w > h {
		s.feast = wideFeast
	}
	s.shots = s.short
	if plot == longStory {
		s.shots = s.long
	}
	s.drawWall()
	s.hangBunting(r)
	c := newMat(box{-4, s.cake.y - 400*s.cakeSize, s.w + 4, s.h + 4}, fine)
	s.drawTable(c)
	s.drawCake(c, r)
	for _, p := range s.presents {
		drawPresent(c, p.at.x, p.at.y, p.w, p.h, p.paper, p.ribbon, rgb{176, 96, 112})
	}
	for i, p := range s.cupcakes {
		drawCupcake(c, p.x, p.y, partyColours[(i*2+2)%len(partyColours)])
	}
	s.guest.draw(c)
	s.table = c.cutout()
	s.inflate()
	s.discs = s.newBokeh(r)
	s.confetti = s.newConfetti(r)
	return &scene{story: plot, draw: s.draw, music: s.music, dither: newDither()}
}

func (s *party) draw(c *canvas, n int) {
	t := float32(n) / sceneRate
	at := s.shots.camera(t)
	from := func(depth float32) { c.view = at.through(depth, s.w, s.h) }
	from(depthOfWall)
	c.project(s.wall)
	s.drawBokeh(c, t)
	from(depthOfBunting)
	s.drawBunting(c, t)
	from(1)
	c.put(s.table)
	s.drawCandles(c, t)
	s.guest.move(c, t, s.story)
	from(depthOfBunches)
	s.drawBunches(c, t)
	from(1)
	s.drawFountains(c, t)
	from(depthOfLens)
	for _, b := range s.blurred {
		c.paste(b, b.x, b.y, 1, at.clear())
	}
	c.view = upright // these two are before the lens, and do not come closer with the rest
	s.drawRisers(c, t)
	s.drawConfetti(c, t)
	c.curtain(s.dusk(t))
}
