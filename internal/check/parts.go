// parts.go says in words what others have found of Retake's own parts.

package check

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"strconv"
	"strings"
)

// Told is the finding of somebody whose errors say what to do: well, if there is none.
func Told(err error, well string) []Finding {
	if err != nil {
		return []Finding{Wrong("%v", err)}
	}
	return []Finding{Well("%s", well)}
}

// Bot is what Telegram said of the bot: its name, and the host of a webhook. No name and no error: there is no token.
func Bot(name, webhook string, err error) []Finding {
	switch {
	case err != nil:
		return []Finding{Wrong("%v (token as @BotFather gave it, api_url in reach)", err)}
	case name == "":
		return []Finding{Wrong("it is off, for telegram.token is empty: write /newbot to @BotFather, and set what it answers")}
	case webhook != "":
		return []Finding{Wrong("a webhook at %s takes what people write to @%s: remove it (deleteWebhook of the Bot API), or use a bot of its own for Retake", webhook, name)}
	}
	return []Finding{Well("@%s", name)}
}

// Owners is how many there are, and who of the admins has not written to the bot.
func Owners(n int, strangers []int64) []Finding {
	switch {
	case len(strangers) > 0:
		var ids []string
		for _, id := range strangers {
			ids = append(ids, strconv.FormatInt(id, 10))
		}
		return []Finding{Warn("before %s writes /start to the bot, Telegram lets no message of it through: of an outage they would not hear", strings.Join(ids, ", "))}
	case n == 0:
		return []Finding{Warn("nobody is an owner, so /admin in the bot gives nobody a link: put your Telegram id into telegram.owners, or run retake admin add ID -owner")}
	}
	return []Finding{Well("%d", n)}
}

// Database is what a look at its file has found.
func Database(broken []string, newer bool, err error) []Finding {
	const restore = "stop serve, keep a copy of the data folder, and restore the last backup"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []Finding{Well("it will be made at the first start")}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return []Finding{Warn("it is too large to be read in time; nothing was found in what was read")}
	case newer:
		return []Finding{Wrong("a newer version of Retake has written it: run that one, or restore a backup of before")}
	case err != nil:
		return []Finding{Wrong("it cannot be read: %v: %s", err, restore)}
	case len(broken) > 0:
		return []Finding{Wrong("it is damaged (%s): %s", strings.Join(broken, "; "), restore)}
	}
	return []Finding{Well("sound")}
}

// Font says whether the font of a package is here.
func Font(pkg string, here bool) []Finding {
	if !here {
		return []Finding{Warn("names are drawn in a plainer one than the templates are made for: apt-get install -y %s",
			pkg)}
	}
	return []Finding{Well("%s", pkg)}
}

// Voice says whether an engine speaks. asked: it is not the one that is there by itself.
func Voice(engine string, asked bool, err error) []Finding {
	switch {
	case engine == "none":
		return []Finding{Well("off, by voice.engine: videos have music only")}
	case err == nil:
		return []Finding{Well("it speaks")}
	case asked || engine == "http":
		return []Finding{Wrong("%v", err)}
	}
	return []Finding{Warn("%v; until then videos have music only", err)}
}

// Template is what a template has shown. The error has a line for each fault.
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

// YouTube is what a look there has found. unknown: it does not know the client.
func YouTube(err error, unknown bool, baseURL string) []Finding {
	u, wrong := url.Parse(baseURL)
	switch {
	case unknown:
		return []Finding{Wrong("%v: copy youtube.client_id and youtube.client_secret again, from Credentials at console.cloud.google.com", err)}
	case err != nil:
		return []Finding{Wrong("%v: is there a way out to Google from here?", err)}
	case wrong == nil && u.Scheme == "http" && !isLocal(u.Hostname()):
		return []Finding{Wrong("Google sends admins back to https or to localhost only, and web.base_url is %s: no channel can be connected until a proxy makes it https", baseURL)}
	}
	return []Finding{Well("it knows the client; its redirect URI must be %s/channels/callback", baseURL)}
}
