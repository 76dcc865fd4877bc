// Package demo puts the fakes of Telegram, YouTube and Rumble behind one address, with pages to play with them.
package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	fakerumble "retake.example/internal/fake/rumble"
	fakestage "retake.example/internal/fake/stage"
	faketelegram "retake.example/internal/fake/telegram"
	fakeyoutube "retake.example/internal/fake/youtube"
)

// What the fakes accept as the credentials of the program.
const (
	BotToken     = "1000000:demo-of-retake-without-any-secret"
	ClientID     = "demo.apps.retake.example"
	ClientSecret = "demo-client-secret"
	RumbleToken  = "demodemodemodemodemodemodemodemodemodemo"
	ChannelID    = -1001234567890 // of a private Telegram channel in which the bot is an admin
)

// Town is all fakes together.
type Town struct {
	URL    string // of Telegram, and of the page to begin with; YouTube is at /google, Rumble at /rumble
	Broken atomic.Bool

	chats   *faketelegram.Server
	tube    *fakeyoutube.Server
	rumbles *fakerumble.Server
	news    *faketelegram.Group
	edited  atomic.Bool // the switch of the channel
	server  *http.Server
}

// Program is what the town needs of the program that is shown.
type Program struct {
	SignIn func(context.Context) (link string, err error) // an address at which an admin signs in to its page, once
	Look   func(context.Context) error                    // has it look now at what is published, and not once a day
}

// New returns a town for a listener.
func New(listener net.Listener, program Program) (*Town, error) {
	t := &Town{URL: "http://" + listener.Addr().String(), chats: faketelegram.New(BotToken)}
	t.tube = fakeyoutube.New(
		fakeyoutube.Options{ClientID: ClientID, ClientSecret: ClientSecret, BaseURL: t.URL + "/google"},
	)
	var err error
	if t.rumbles, err = fakerumble.New(
		fakerumble.Options{AccessToken: RumbleToken, BaseURL: t.URL + "/rumble"},
	); err != nil {
		t.Close()
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/bot"+BotToken+"/", t.chats)
	mux.Handle("/file/", t.chats)
	mux.HandleFunc("GET /enter", func(w http.ResponseWriter, r *http.Request) {
		link, err := program.SignIn(r.Context())
		if err == nil {
			err = enter(w, r, link)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	mux.Handle("/google/", http.StripPrefix("/google", t.tube))
	mux.Handle("/rumble/", http.StripPrefix("/rumble", t.rumbles))
	mux.Handle("/platforms/", http.StripPrefix("/platforms", t.platforms(program.Look)))
	t.news = t.chats.Channel(ChannelID, "Greetings")
	mux.Handle("/", t.chats.Page(faketelegram.PageOptions{
		Title: "Retake",
		People: []*faketelegram.Person{
			t.chats.Person(101, "Мария", "ru"),
			t.chats.Person(102, "Ольга", "ru"),
			t.chats.Person(103, "Emma", "en"),
		},
		AdminURL:  func() string { return "/enter" },
		Platforms: "platforms/",
		Broken:    t.Broken.Load,
		SetBroken: t.Broken.Store,
	}))
	t.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	return t, nil
}

// Welcome returns what is printed at the start. wanted is the port that the town was to have.
func (t *Town) Welcome(wanted string) (text string) {
	if u, err := url.Parse(t.URL); err == nil && u.Port() != wanted {
		text = fmt.Sprintf("\nAnother program uses port %s, so the demo is at port %s.\n", wanted, u.Port())
	}
	return text + fmt.Sprintf(`
Retake with fakes of Telegram, YouTube and Rumble: everything runs on this computer.

  Open  %s   to write to the bot as a parent
  Ctrl-C ends it and deletes its data.

`, t.URL)
}

// Serve answers requests until Close.
func (t *Town) Serve(listener net.Listener) error {
	if err := t.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Close ends all fakes.
func (t *Town) Close() {
	t.chats.Close()
	t.tube.Close()
	if t.rumbles != nil {
		t.rumbles.Close()
	}
	if t.server != nil {
		t.server.Close()
	}
}

// platforms is the page with the switches of the platforms that videos are published on. After something is done to
// published videos the program looks at them.
func (t *Town) platforms(look func(context.Context) error) http.Handler {
	youtube := fakestage.Platform{ID: "youtube", Name: "YouTube", Videos: func() (list []fakestage.Video) {
		for _, v := range t.tube.Videos() {
			note := v.Privacy + ", " + v.Status
			if !v.PublishAt.IsZero() {
				note += ", public at " + v.PublishAt.UTC().Format("2006-01-02 15:04 UTC")
			}
			list = append(list, fakestage.Video{Title: v.Title, URL: v.URL, Note: note, Size: v.Size})
		}
		return list
	}}
	for _, f := range t.tube.Faults() {
		if set := f.Set; slices.Contains([]string{"stuck", "studio", "takedown"}, f.ID) { // done to published videos
			f.Set = func(on bool) {
				set(on)
				look(context.Background()) // an error is that of a program that begins or ends, and it looks every day
			}
		}
		youtube.Switches = append(youtube.Switches, fakestage.Switch(f))
	}
	rumble := fakestage.Platform{ID: "rumble", Name: "Rumble", Videos: func() (list []fakestage.Video) {
		for _, v := range t.rumbles.Videos() {
			list = append(list, fakestage.Video{Title: v.Title, URL: v.URL, Size: v.Size})
		}
		return list
	}}
	for _, f := range t.rumbles.Faults() {
		rumble.Switches = append(rumble.Switches, fakestage.Switch(f))
	}
	telegram := fakestage.Platform{ID: "telegram", Name: fmt.Sprintf("Telegram channel %d", ChannelID),
		Videos: func() (list []fakestage.Video) {
			for _, m := range t.news.Messages() {
				title, _, _ := strings.Cut(m.Text, "\n")
				v := fakestage.Video{Title: title}
				if m.Video != nil {
					v.Size = int64(m.Video.Size)
				}
				list = append(list, v)
			}
			return list
		}}
	telegram.Switches = []fakestage.Switch{{
		ID:    "edit",
		Label: "Edit the posts",
		Hint:  "Another admin of the channel gives the posts another caption. Off changes nothing.",
		On:    t.edited.Load,
		Set: func(on bool) {
			if on && !t.edited.Swap(on) {
				for _, m := range t.news.Messages() {
					t.news.SetCaption(int(m.ID), "Edited by another admin.")
				}
			}
			t.edited.Store(on)
		},
	}}
	return fakestage.New("YouTube, Rumble and a Telegram channel of the demo", youtube, rumble, telegram)
}

// enter signs the visitor in to the program's page as an admin does: with a link whose button is pressed.
func enter(w http.ResponseWriter, r *http.Request, link string) error {
	page, err := url.Parse(link)
	if err != nil {
		return err
	}
	post, err := http.NewRequestWithContext(r.Context(), http.MethodPost, link, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultTransport.RoundTrip(post)
	if err != nil {
		return err
	}
	resp.Body.Close()
	for _, c := range resp.Cookies() {
		http.SetCookie(w, c) // of this host, whatever the port
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		return err
	}
	http.Redirect(w, r, "http://"+net.JoinHostPort(host, page.Port())+"/", http.StatusSeeOther)
	return nil
}
