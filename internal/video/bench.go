// bench.go tries a template: what is wrong with it, and what a video of it looks like.

package video

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// workbench makes a maker for the template in a folder, or for one that has the given id, until clear.
func workbench(ctx context.Context, c Config, template string) (m *Maker, id string, clear func(), err error) {
	id = template
	if info, err := os.Stat(template); err == nil && info.IsDir() {
		path, err := filepath.Abs(template)
		if err != nil {
			return nil, "", nil, err
		}
		c.Templates, id = filepath.Dir(path), filepath.Base(path)
	}
	c.Engine, c.Offered = EngineTemplate, []string{id}
	work, err := os.MkdirTemp("", "retake-template-")
	if err != nil {
		return nil, "", nil, err
	}
	c.Cache, c.Work = filepath.Join(work, "cache"), filepath.Join(work, "work")
	if m, err = New(c); err == nil {
		err = m.Ready(ctx)
	}
	if err != nil {
		os.RemoveAll(work)
		if faults, ok := errors.AsType[Faults](err); ok {
			err = fmt.Errorf("template %s has faults:\n%w", id, faults)
		}
		return nil, "", nil, err
	}
	return m, id, func() { os.RemoveAll(work) }, nil
}

// CheckTemplate says what there is to know of the template in a folder, or of one with that id, in sentences. The error
// says what is wrong with it, each Faults with its line. Of the configuration its work, cache and offer do not matter.
func CheckTemplate(ctx context.Context, c Config, template string) (sentences []string, err error) {
	m, id, clear, err := workbench(ctx, c, template)
	if err != nil {
		return nil, err
	}
	defer clear()
	a, err := m.About(ctx, id)
	if err != nil {
		return nil, err
	}
	k, err := m.template(id)
	if err == nil {
		err = m.rehearse(ctx, k)
	}
	if err != nil {
		return nil, fmt.Errorf("template %s: %w", id, err)
	}
	for _, warning := range a.Warnings {
		sentences = append(sentences, "Note: "+warning)
	}
	return append(sentences, fmt.Sprintf("Template %s is right: %d×%d, %.4g frames a second, %v, "+
		"of which %v are encoded for each name.",
		id, a.Width, a.Height, a.Rate, a.Length.Round(time.Millisecond), a.Drawn.Round(time.Millisecond))), nil
}

// Preview is what there is to see of a template: one moment, or with a negative one the whole video.
type Preview struct {
	Template, Name, Lang string // Template: a folder or an id
	At                   time.Duration
}

// Make makes it at out; copy brings a file there. The configuration is CheckTemplate's.
func (p Preview) Make(ctx context.Context, c Config, out string, copy func(from, to string) error) error {
	m, id, clear, err := workbench(ctx, c, p.Template)
	if err != nil {
		return err
	}
	defer clear()
	order := Order{Asset: "preview", Name: p.Name, Lang: p.Lang, Template: id}
	if p.At >= 0 {
		return m.Still(ctx, order, p.At, out)
	}
	v, err := m.Make(ctx, order, nil)
	if err != nil {
		return err
	}
	return errors.Join(copy(v.Path, out), v.Discard())
}
