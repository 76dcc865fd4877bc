// voice_http.go has a text spoken by a service with the interface of OpenAI's /v1/audio/speech.

package video

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// maxSpoken is how many bytes a service may send.
const maxSpoken = 10 << 20

// request asks the service to speak and writes its answer to the file out. The error has none of the forms of the name.
func (v VoiceConfig) request(ctx context.Context, text, out string, forms ...string) error {
	h := hide(forms)
	body, err := json.Marshal(map[string]string{"model": v.Model, "voice": v.Voice, "input": text,
		"response_format": "wav"})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, v.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("the URL of the service is not one") // the reason would quote it
	}
	request.Header.Set("Content-Type", "application/json")
	if v.Key != "" {
		request.Header.Set("Authorization", "Bearer "+v.Key)
	}
	// A redirect would take the key to somebody else.
	client := http.Client{Transport: voiceTransport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	var asked *url.Error
	if errors.As(err, &asked) {
		err = asked.Err // without the address, whose query may be a password
	}
	if err != nil {
		failed := fmt.Errorf("%w: ask the service: %w", errAway, v.hide(err, h))
		if unreachable(err) {
			return away(failed)
		}
		return failed
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return v.refused(response, h)
	}
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); !strings.HasPrefix(kind, "audio/") &&
		kind != "application/octet-stream" {
		// Somebody else answers in its place, such as the page of a firewall.
		return away(fmt.Errorf("%w: the service answered with something else than sound", errAway))
	}
	sound, err := io.ReadAll(io.LimitReader(response.Body, maxSpoken+1))
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("%w: answer of the service: %w", errAway, err)
	}
	if len(sound) > maxSpoken {
		return fmt.Errorf("the service answered with more than %d MB", maxSpoken>>20)
	}
	return os.WriteFile(out, sound, 0o600)
}

// hide keeps the key and the name out of an error that is not ours.
func (v VoiceConfig) hide(err error, h hide) error {
	if shown := v.hidden(err.Error(), h); shown != err.Error() {
		return errors.New(shown)
	}
	return err
}

func (v VoiceConfig) hidden(text string, h hide) string {
	if v.Key != "" {
		text = strings.ReplaceAll(text, v.Key, "[key]")
	}
	return h.from(text)
}

// refused makes an error of an answer other than 200. Most of 400 to 499 are about the text, and no further attempt
// changes that. But 401 to 404 are about the key, the bill or the address, and 400 may be about the voice: the operator
// fixes those. 500 and more are the service's own trouble.
func (v VoiceConfig) refused(response *http.Response, h hide) error {
	const shown = 300 // bytes of the answer
	answer, _ := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	why := strings.Join(strings.Fields(v.hidden(strings.ToValidUTF8(string(answer), "\uFFFD"), h)), " ")
	if len(why) > shown {
		why = strings.ToValidUTF8(why[:shown], "") + "…"
	}
	err := fmt.Errorf("the service answered %d", response.StatusCode)
	if why != "" {
		err = fmt.Errorf("%w: %s", err, why)
	}
	switch code := response.StatusCode; {
	case code == http.StatusBadRequest:
		return err
	case code > 400 && code <= 404, code < 400:
		return fmt.Errorf("%w: %w", errAway, err)
	case code >= 500:
		return judged(response, fmt.Errorf("%w: %w", errAway, err))
	}
	return judged(response, err)
}

// voiceTransport asks the service itself: what is said there must not pass through a proxy that some variable names.
var voiceTransport = &http.Transport{TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: time.Minute,
	MaxIdleConnsPerHost: 2, ForceAttemptHTTP2: true}
