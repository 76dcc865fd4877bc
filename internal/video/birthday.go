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
	thrust     point // how fast confetti leaves the left cannon; the right one is its mirror
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
	}
)

// party is all that the frames are made of. It is read-only once made.
type party struct {
	feast
	base     *canvas // all that stands still
	discs    []bokeh
	blurs    []*spot // of the lights out of focus, by size
	bunting  []flag
	lamps    []lamp
	candles  []candle
	sparks   []fountain
	balloons map[rgb]*cutout
	near     map[rgb]*cutout // the same, right before the lens
	confetti []scrap
	glow     *spot
	warmth   *spot
}

// birthday makes the scene: it draws all that stands still and throws the dice for all that moves, always the same way.
func birthday(w, h int) *scene {
	r := rand.New(rand.NewPCG(3, 11))
	s := &party{feast: uprightFeast, base: newCanvas(w, h), glow: newSpot(34, 3), warmth: newSpot(190, 2.2)}
	if w > h {
		s.feast = wideFeast
	}
	s.drawWall()
	s.hangBunting(r)
	s.drawTable()
	s.drawCake(r)
	for _, p := range s.presents {
		drawPresent(s.base, p.at.x, p.at.y, p.w, p.h, p.paper, p.ribbon, rgb{176, 96, 112})
	}
	for i, p := range s.cupcakes {
		drawCupcake(s.base, p.x, p.y, partyColours[(i*2+2)%len(partyColours)])
	}
	s.guest.draw(s.base)
	s.inflate()
	s.discs = s.newBokeh(r)
	s.confetti = s.newConfetti(r)
	return &scene{frames: sceneFrames, draw: s.draw, music: partyMusic, dither: newDither()}
}

func (s *party) draw(c *canvas, n int) {
	t := float32(n) / sceneRate
	copy(c.pix, s.base.pix)
	s.drawBokeh(c, t)
	s.drawBunting(c, t)
	s.drawCandles(c, t)
	s.guest.move(c, t)
	s.drawBunches(c, t)
	s.drawFountains(c, t)
	c.zoom(camera(t), point{s.cake.x, s.cake.y - 200*s.cakeSize})
	s.drawRisers(c, t) // these two are before the lens, and do not come closer with the rest
	s.drawConfetti(c, t)
	c.curtain(t)
}
