// newyear_show.go draws the surprises: a shooting star that announces the name, and fireworks to begin and to end with.

package video

import (
	"math"
	"math/rand/v2"
)

// firework is one burst: when and where, its colour, and where its sparks fly.
type firework struct {
	point
	at   float32 // second
	col  rgb
	ways []point // pixels flown by a spark that never slows down
}

func (s *winterNight) newFireworks(r *rand.Rand) []firework {
	bursts := []firework{
		{at: s.farewell + 0.25, col: rgb{255, 196, 96}},
		{at: s.farewell + 0.70, col: rgb{120, 190, 255}},
		{at: s.farewell + 1.25, col: rgb{255, 120, 150}},
		{at: s.again - 0.05, col: rgb{150, 235, 160}},
		{at: s.again + 0.30, col: rgb{215, 150, 255}},
		{at: -0.42, col: rgb{255, 196, 96}}, // it is open in the first frame
	}
	if s.story == longStory { // there is time for two more
		bursts = append(bursts, firework{at: s.farewell + 1.7, col: rgb{255, 196, 96}},
			firework{at: s.farewell + 2.2, col: rgb{120, 190, 255}})
	}
	for i := range bursts {
		bursts[i].point = s.fireworks[i%len(s.fireworks)]
		for k := range 64 {
			// Two shells, the inner one half as wide; a little disorder makes it look like powder and not like geometry.
			turn := float32(k)/32*2*math.Pi + 0.15*float32(r.NormFloat64())
			far := (150 + 22*float32(r.NormFloat64())) * (1 - 0.45*float32(k%2))
			bursts[i].ways = append(bursts[i].ways, point{far * cos(turn), far * sin(turn)})
		}
	}
	return bursts
}

var (
	fireSpark = newSpot(3.4, 1.5)
	fireGlow  = newSpot(120, 3)
)

func (s *winterNight) drawShow(c *canvas, t float32) {
	s.drawShootingStar(c, t)
	for _, f := range s.bursts {
		const life = 1.35
		q := (t - f.at) / life
		if q <= 0 || q >= 1 {
			continue
		}
		c.light(fireGlow, f.x, f.y, f.col, 0.5*(1-smooth(0, 0.35, q)))
		for i, w := range f.ways {
			for trail := range 6 {
				past := q - 0.022*float32(trail)
				if past <= 0 {
					break
				}
				reach := 1 - (1-past)*(1-past)*(1-past) // powder slows down in the air
				k := (1 - smooth(0.45, 1, q)) * (1 - float32(trail)/6) * (0.75 + 0.25*sin(t*40+float32(i)*2))
				c.light(
					fireSpark,
					f.x+w.x*reach,
					f.y+w.y*reach+70*past*past,
					mix(rgb{255, 250, 235}, f.col, min(1, past*2.5)),
					k*0.8,
				)
			}
		}
	}
}

func (s *winterNight) drawShootingStar(c *canvas, t float32) {
	q := (t - s.name + 0.85) / 0.8
	if q <= 0 || q >= 1 {
		return
	}
	head, way := s.starAt, s.starWay
	k := smooth(0, 0.2, q) * (1 - smooth(0.6, 1, q))
	for i := range 60 {
		past := q - 0.0045*float32(i)
		if past < 0 {
			break
		}
		c.light(fireSpark, head.x+way.x*past, head.y+way.y*past, rgb{225, 232, 255}, k*0.9*(1-float32(i)/60))
	}
	x, y := head.x+way.x*q, head.y+way.y*q
	c.light(sparkHalo, x, y, rgb{190, 210, 255}, k)
	c.cross(x, y, 12, rgb{240, 245, 255}, k*0.8)
}
