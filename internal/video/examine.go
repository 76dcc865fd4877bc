// examine.go looks at the parts that make a video, one by one, for somebody who sets up a machine.

package video

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
)

// Tools tries a tiny encode and returns what ffmpeg calls its version, or an error that says what to do.
func (m *Maker) Tools(ctx context.Context) (version string, err error) {
	t, err := m.ready(ctx)
	if err != nil {
		return "", err
	}
	return t.version, nil
}

// Font reports whether the font that suits the templates is here, by its name as a package of Debian.
func (m *Maker) Font() (pkg string, here bool) {
	_, found, err := m.fonts.library()
	if err != nil {
		return wantedPackage, false
	}
	wanted, err := m.fonts.wanted(found)
	return wantedPackage, wanted != nil && err == nil
}

// Speak says a name with the voice that is set. The error says what to do. Without a voice there is nothing to say: see
// Voice.
func (m *Maker) Speak(ctx context.Context, name, lang string) error {
	t, err := m.ready(ctx)
	if err != nil {
		return err
	}
	for _, l := range m.cfg.Languages {
		if _, faults, err := readForms(m.cfg.Forms, l); err != nil {
			return err
		} else if len(faults) > 0 {
			return errors.New(strings.Join(faults, "; "))
		}
	}
	switch _, note, err := m.speak(ctx, t, func(name string) string { return name }, name, lang); {
	case err != nil:
		return err
	case note != "":
		return fmt.Errorf("it cannot say a name in the language %q", lang)
	}
	return nil
}

// TryTemplate draws the picture of a template with a name. warnings are what works, but perhaps not as intended; the
// error is what is wrong, a line each. Of the configuration its work, cache and offer do not matter.
func TryTemplate(ctx context.Context, c Config, template, name, lang string) (warnings []string, err error) {
	m, id, clear, err := workbench(ctx, c, template)
	if err != nil {
		return nil, err
	}
	defer clear()
	a, err := m.About(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := m.CanDraw(id, name); err != nil {
		return a.Warnings, fmt.Errorf("template %s with %q: %w", id, name, err)
	}
	k, err := m.template(id)
	if err == nil {
		err = m.rehearse(ctx, k)
	}
	if err != nil {
		return a.Warnings, fmt.Errorf("template %s: %w", id, err)
	}
	return a.Warnings, m.Cover(
		ctx,
		Order{Asset: "check", Name: name, Lang: lang, Template: id},
		filepath.Join(m.cfg.Work, "check.png"),
	)
}

// Engine checks whether an engine of the operator's own is there: its program, or the service at its address.
func (m *Maker) Engine(ctx context.Context) error {
	switch m.cfg.Engine {
	case EngineFarm:
		return m.cfg.Farm.Ready()
	case EngineCommand:
		if _, err := exec.LookPath(m.cfg.Command[0]); err != nil {
			return fmt.Errorf("%s cannot be run (%w): install it, or change render.command", m.cfg.Command[0],
				errors.Unwrap(err))
		}
	case EngineHTTP:
		u, err := url.Parse(m.cfg.URL)
		if err != nil {
			return errors.New("render.url isn't a valid URL")
		}
		port := u.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
		}
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
		if err != nil {
			return fmt.Errorf("nobody answers at %s (%w): start the generator, or change render.url", u.Host, err)
		}
		c.Close()
	}
	return nil
}
