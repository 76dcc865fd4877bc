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
)

// maxSpoken is how many bytes a service may send.
const maxSpoken = 10 << 20

// request asks the service to speak and writes its answer to the file out.
func (v VoiceConfig) request(ctx context.Context, text, name, out string) error {
	body, err := json.Marshal(map[string]string{"model": v.Model, "voice": v.Voice, "input": text, "response_format": "wav"})
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
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	var asked *url.Error
	if errors.As(err, &asked) {
		err = asked.Err // without the address, whose query may be a password
	}
	if err != nil {
		return fmt.Errorf("ask the service: %w", v.hide(err, name))
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return v.refused(response, name)
	}
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); !strings.HasPrefix(kind, "audio/") && kind != "application/octet-stream" {
		return errors.New("the service answered with something else than sound")
	}
	sound, err := io.ReadAll(io.LimitReader(response.Body, maxSpoken+1))
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("answer of the service: %w", err)
	}
	if len(sound) > maxSpoken {
		return fmt.Errorf("the service answered with more than %d MB", maxSpoken>>20)
	}
	return os.WriteFile(out, sound, 0o600)
}

// hide keeps the key and the name out of an error that is not ours.
func (v VoiceConfig) hide(err error, name string) error {
	if shown := v.hidden(err.Error(), name); shown != err.Error() {
		return errors.New(shown)
	}
	return err
}

func (v VoiceConfig) hidden(text, name string) string {
	if v.Key != "" {
		text = strings.ReplaceAll(text, v.Key, "[key]")
	}
	return redact(text, name)
}

// refused makes an error of an answer other than 200. Most of 400 to 499 are about the text, and no further attempt
// changes that. But 400 to 404 are about the voice, the key, the bill or the address: the operator mends those, and until then
// nobody shall be told that this name cannot be spoken for good.
func (v VoiceConfig) refused(response *http.Response, name string) error {
	const shown = 300 // bytes of the answer
	answer, _ := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	why := strings.Join(strings.Fields(v.hidden(strings.ToValidUTF8(string(answer), "\uFFFD"), name)), " ")
	if len(why) > shown {
		why = strings.ToValidUTF8(why[:shown], "") + "…"
	}
	err := fmt.Errorf("the service answered %d", response.StatusCode)
	if why != "" {
		err = fmt.Errorf("%w: %s", err, why)
	}
	if code := response.StatusCode; code >= 400 && code <= 404 {
		return err
	}
	return judged(response, err)
}
