// The words for what other packages found out about the parts of Retake.

package check

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"strconv"
	"strings"
)

// Told turns an error that already says what to do into a finding; well is the text if there is no error.
func Told(err error, well string) []Finding {
	if err != nil {
		return []Finding{Wrong("%v", err)}
	}
	return []Finding{Well("%s", well)}
}

// Bot reports what Telegram says about the bot: its name and the host of a webhook. Without a name and an error there
// is no token.
func Bot(name, webhook string, err error) []Finding {
	switch {
	case err != nil:
		return []Finding{Wrong("%v (check telegram.token and whether telegram.api_url can be reached)", err)}
	case name == "":
		return []Finding{Wrong("off: telegram.token is empty; send /newbot to @BotFather and set the token it gives " +
			"you")}
	case webhook != "":
		return []Finding{Wrong("a webhook at %s receives the messages to @%s: remove it (deleteWebhook of the Bot "+
			"API), or use a separate bot for Retake", webhook, name)}
	}
	return []Finding{Well("@%s", name)}
}

// UploadLimit reports a limit of uploads that the Bot API server of the settings does not have: larger videos are made
// and then refused.
func UploadLimit(mb int64, api string) []Finding {
	const cloud = 50 // MB that api.telegram.org takes
	at, err := url.Parse(api)
	if err != nil || at.Hostname() != "api.telegram.org" || mb <= cloud {
		return nil
	}
	return []Finding{Warn("telegram.max_upload_mb is %d, and api.telegram.org takes %d MB: a larger video is too large "+
		"for Telegram. Set it to %[2]d, or run a Bot API server of your own and set telegram.api_url to it", mb, cloud)}
}

// Owners reports the number of owners and the admins who have not written to the bot.
func Owners(n int, strangers []int64) []Finding {
	switch {
	case len(strangers) > 0:
		var ids []string
		for _, id := range strangers {
			ids = append(ids, strconv.FormatInt(id, 10))
		}
		return []Finding{Warn("Telegram delivers nothing to %s before they send /start to the bot: they won't "+
			"receive outage alerts", strings.Join(ids, ", "))}
	case n == 0:
		return []Finding{Warn("no owners, so /admin in the bot gives nobody a link: put your Telegram id into " +
			"telegram.owners, or run retake admin add ID -owner")}
	}
	return []Finding{Well("%d", n)}
}

// Database reports the state of the database file.
func Database(broken []string, newer bool, err error) []Finding {
	const restore = "stop serve, keep a copy of the data folder, and restore the last backup"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []Finding{Well("it will be made at the first start")}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return []Finding{Warn("it is too large to check in time; the part that was read is sound")}
	case newer:
		return []Finding{Wrong("it was written by a newer version of Retake: run that version, or restore an older " +
			"backup")}
	case err != nil:
		return []Finding{Wrong("it cannot be read: %v: %s", err, restore)}
	case len(broken) > 0:
		return []Finding{Wrong("it is damaged (%s): %s", strings.Join(broken, "; "), restore)}
	}
	return []Finding{Well("sound")}
}

// Font reports whether the font of a package is installed.
func Font(pkg string, here bool) []Finding {
	if !here {
		return []Finding{Warn("names are drawn in a plainer font than the templates are made for: apt-get install -y "+
			"%s",
			pkg)}
	}
	return []Finding{Well("%s", pkg)}
}

// Voice reports whether an engine speaks. asked says that the settings name it; the default engine may be missing.
func Voice(engine string, asked bool, err error) []Finding {
	switch {
	case engine == "none":
		return []Finding{Well("off: voice.engine is none; videos have music only")}
	case err == nil:
		return []Finding{Well("it speaks")}
	case asked || engine == "http" || engine == "rhvoice":
		return []Finding{Wrong("%v", err)}
	}
	return []Finding{Warn("%v; until then videos have music only", err)}
}

// Template reports the warnings and faults of a template. The error has a line for each fault.
func Template(warnings []string, err error) (found []Finding) {
	if err != nil {
		for line := range strings.Lines(err.Error()) {
			found = append(found, Wrong("%s", strings.TrimSpace(line)))
		}
		return found
	}
	for _, w := range warnings {
		found = append(found, Warn("%s", w))
	}
	if len(found) == 0 {
		return []Finding{Well("it draws a name")}
	}
	return found
}

// YouTube reports what YouTube answered. unknown says that it does not know the client.
func YouTube(err error, unknown bool, baseURL string) []Finding {
	u, wrong := url.Parse(baseURL)
	switch {
	case unknown:
		return []Finding{Wrong("%v: copy youtube.client_id and youtube.client_secret again from Credentials at "+
			"console.cloud.google.com", err)}
	case err != nil:
		return []Finding{Wrong("%v: check that this machine can reach Google", err)}
	case wrong == nil && u.Scheme == "http" && !isLocal(u.Hostname()):
		return []Finding{Wrong("Google sends admins back only to https or localhost, and web.base_url is %s: no "+
			"channel can be connected until it is https", baseURL)}
	}
	return []Finding{Well("YouTube knows the client; its redirect URI must be %s/channels/callback", baseURL)}
}
