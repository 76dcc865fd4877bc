// Tokens: issued for a code, refreshed, revoked, and checked in each call.

package youtube

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"
)

// code is what the app gets from the consent page and exchanges for tokens.
type code struct {
	channel, redirect, challenge string
	scopes                       []string
	offline                      bool
	until                        time.Time
}

// grant is access to a channel.
type grant struct {
	channel string
	scopes  []string
	number  int       // which one it was
	until   time.Time // zero: without end
}

type access struct {
	refresh string
	until   time.Time
}

const (
	codeTime   = 10 * time.Minute
	accessTime = 3599 * time.Second
	scopeBase  = "https://www.googleapis.com/auth/"
)

// token is Google's token endpoint.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if s.out(w, "signin") {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxJSON)
	f := r.PostFormValue
	if !same(f("client_id"), s.opts.ClientID) || !same(f("client_secret"), s.opts.ClientSecret) {
		refuse(w, http.StatusUnauthorized, "invalid_client", "The OAuth client was not found.")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := map[string]any{"token_type": "Bearer", "expires_in": int(accessTime.Seconds())}
	refresh := f("refresh_token")
	switch f("grant_type") {
	case "refresh_token":
		if g := s.grants[refresh]; g == nil || s.isOver(g) {
			refuse(w, http.StatusBadRequest, "invalid_grant", "Token has been expired or revoked.")
			return
		}
	case "authorization_code":
		c, ok := s.codes[f("code")]
		delete(s.codes, f("code"))
		sum := sha256.Sum256([]byte(f("code_verifier")))
		switch {
		case !ok || !s.opts.Now().Before(c.until):
			refuse(w, http.StatusBadRequest, "invalid_grant", "Malformed auth code.")
			return
		case f("redirect_uri") != c.redirect || s.on["redirect"]:
			refuse(w, http.StatusBadRequest, "redirect_uri_mismatch", "Bad Request")
			return
		case !same(base64.RawURLEncoding.EncodeToString(sum[:]), c.challenge):
			refuse(w, http.StatusBadRequest, "invalid_grant", "Invalid code verifier.")
			return
		}
		s.given++
		refresh = "1//fake-" + random()
		s.grants[refresh] = &grant{channel: c.channel, scopes: c.scopes, number: s.given}
		if s.opts.AccessFor > 0 {
			s.grants[refresh].until = s.opts.Now().Add(s.opts.AccessFor)
		}
		if c.offline {
			answer["refresh_token"] = refresh
		}
	default:
		refuse(w, http.StatusBadRequest, "unsupported_grant_type", "Invalid grant_type.")
		return
	}
	key := "ya29.fake-" + random()
	s.access[key] = access{refresh, s.opts.Now().Add(accessTime)}
	answer["access_token"], answer["scope"] = key, strings.Join(s.grants[refresh].scopes, " ")
	if until := s.grants[refresh].until; !until.IsZero() {
		answer["refresh_token_expires_in"] = int(until.Sub(s.opts.Now()).Seconds())
	}
	writeJSON(w, http.StatusOK, answer)
}

// isOver reports whether the access has ended. The lock must be held.
func (s *Server) isOver(g *grant) bool {
	return s.on["revoked"] && g.number <= s.ended || !g.until.IsZero() && !s.opts.Now().Before(g.until)
}

// revoke ends a grant, named by either of its tokens, and every other of the same Google account, as Google does.
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	if s.out(w, "signin") {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxJSON)
	token := r.PostFormValue("token")
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.access[token]; ok {
		token = a.refresh
	}
	g := s.grants[token]
	if g == nil || s.isOver(g) {
		refuse(w, http.StatusBadRequest, "invalid_token", "Token expired or revoked")
		return
	}
	clear(s.grants)
	writeJSON(w, http.StatusOK, map[string]any{})
}

// allowed returns the channel that a call is for, when its token has one of the scopes.
func (s *Server) allowed(r *http.Request, scopes []string) (string, *apiError) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.access[token]
	g := s.grants[a.refresh]
	if !ok || g == nil || s.on["badtoken"] || s.isOver(g) || !s.opts.Now().Before(a.until) {
		return "", &apiError{
			http.StatusUnauthorized,
			"global",
			"authError",
			"Request had invalid authentication credentials.",
		}
	}
	for _, scope := range scopes {
		if slices.Contains(g.scopes, scopeBase+scope) {
			return g.channel, nil
		}
	}
	return "", &apiError{
		http.StatusForbidden,
		"global",
		"insufficientPermissions",
		"Request had insufficient authentication scopes.",
	}
}

func refuse(w http.ResponseWriter, status int, reason, text string) {
	writeJSON(w, status, map[string]string{"error": reason, "error_description": text})
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
