// What a bot says about itself before anybody has written to it: its name and two descriptions, per language.

package telegram

import "strings"

// Profile is what people see of the bot in one language.
type Profile struct{ Name, Description, ShortDescription string }

// How long each may be, in UTF-16 units.
const (
	maxName        = 64
	maxDescription = 512
	maxShort       = 120
)

// Profile returns what somebody whose app speaks a language sees. What is not set in it comes from the texts of all
// other languages.
func (s *Server) Profile(language string) Profile {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.profile(language)
}

func (s *Server) profile(language string) Profile {
	own, others := s.profiles[language], s.profiles[""]
	first := func(texts ...string) string {
		for _, t := range texts {
			if t != "" {
				return t
			}
		}
		return ""
	}
	return Profile{first(own.Name, others.Name, s.bot.FirstName), first(own.Description, others.Description),
		first(own.ShortDescription, others.ShortDescription)}
}

// setProfile changes one text of a language; "" removes it.
func (s *Server) setProfile(r *request, text string, most int, fault string, set func(*Profile, string)) (any, *apiError) {
	language := r.text("language_code")
	text = strings.TrimSpace(text)
	switch {
	case !languageCode.MatchString(language):
		return nil, bad("invalid language code specified")
	case units(text) > most:
		return nil, bad("%s", fault)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.profiles[language]
	set(&p, text)
	s.profiles[language] = p
	s.broadcast()
	return true, nil
}

func (s *Server) setMyName(r *request) (any, *apiError) {
	return s.setProfile(r, r.text("name"), maxName, "BOT_TITLE_INVALID",
		func(p *Profile, text string) { p.Name = text })
}

func (s *Server) setMyDescription(r *request) (any, *apiError) {
	return s.setProfile(r, r.text("description"), maxDescription, "BOT_DESCRIPTION_INVALID",
		func(p *Profile, text string) { p.Description = text })
}

func (s *Server) setMyShortDescription(r *request) (any, *apiError) {
	return s.setProfile(r, r.text("short_description"), maxShort, "BOT_ABOUT_INVALID",
		func(p *Profile, text string) { p.ShortDescription = text })
}

// getProfile answers with one text of a language.
func (s *Server) getProfile(r *request, field string, text func(Profile) string) (any, *apiError) {
	if language := r.text("language_code"); !languageCode.MatchString(language) {
		return nil, bad("invalid language code specified")
	}
	return map[string]string{field: text(s.Profile(r.text("language_code")))}, nil
}

func (s *Server) getMyName(r *request) (any, *apiError) {
	return s.getProfile(r, "name", func(p Profile) string { return p.Name })
}

func (s *Server) getMyDescription(r *request) (any, *apiError) {
	return s.getProfile(r, "description", func(p Profile) string { return p.Description })
}

func (s *Server) getMyShortDescription(r *request) (any, *apiError) {
	return s.getProfile(r, "short_description", func(p Profile) string { return p.ShortDescription })
}
