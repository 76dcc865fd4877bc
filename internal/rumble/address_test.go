// Addresses that people paste.

package rumble

import (
	"errors"
	"strings"
	"testing"
)

func TestCheckURL_AddressesAreTidiedOrRefused(t *testing.T) {
	real := New(Config{BaseURL: "https://rumble.com"})
	demo := New(Config{BaseURL: "http://127.0.0.1:8090/rumble/"})
	for _, c := range []struct {
		client *Client
		text   string
		want   string
		why    Why
	}{
		{real, "https://rumble.com/v1abc2-happy-birthday.html", "https://rumble.com/v1abc2-happy-birthday.html", ""},
		{real, "  https://www.Rumble.com/v1abc2-x.html?e9s=src_v1_cbl&mref=1#t=3 \n",
			"https://rumble.com/v1abc2-x.html", ""},
		{real, "http://rumble.com/v1abc2.html", "https://rumble.com/v1abc2.html", ""},
		{real, "rumble.com/v1abc2-x.html", "https://rumble.com/v1abc2-x.html", ""},
		{real, "WWW.rumble.com/v1abc2-x.html", "https://rumble.com/v1abc2-x.html", ""},
		{real, "https://rumble.com/shorts/v1abc2", "https://rumble.com/shorts/v1abc2", ""},
		{real, "https://rumble.com/embed/u4.v1abc2/?pub=4", "https://rumble.com/embed/u4.v1abc2/", ""},
		{real, "https://rumble.com/v1abc2-с-днём.html",
			"https://rumble.com/v1abc2-%D1%81-%D0%B4%D0%BD%D1%91%D0%BC.html", ""},
		{demo, "http://127.0.0.1:8090/rumble/v1abc2-x.html?x=1", "http://127.0.0.1:8090/rumble/v1abc2-x.html", ""},
		{demo, "https://rumble.com/v1abc2-x.html", "https://rumble.com/v1abc2-x.html", ""},

		{real, "", "", NoAddress},
		{real, "my video", "", NoAddress},
		{real, "javascript:alert(1)", "", NoAddress},
		{real, "ftp://rumble.com/v1abc2.html", "", NoAddress},
		{real, "https://me:secret@rumble.com/v1abc2.html", "", NoAddress},
		{real, "https://rumble.com/v1-" + strings.Repeat("a", 500) + ".html", "", NoAddress},
		{real, "https://rumble.com:8443/v1abc2.html", "", OtherSite},
		{real, "https://rumble.com.evil.example/v1abc2.html", "", OtherSite},
		{real, "https://evilrumble.com/v1abc2.html", "", OtherSite},
		{real, "https://youtube.com/watch?v=1", "", OtherSite},
		{real, "http://127.0.0.1:8090/rumble/v1abc2-x.html", "", OtherSite},
		{demo, "http://127.0.0.1:8090/v1abc2-x.html", "", OtherSite},
		{demo, "https://127.0.0.1:8090/rumble/v1abc2-x.html", "", OtherSite},
		{real, "https://rumble.com/", "", NoVideo},
		{real, "https://rumble.com/upload.php", "", NoVideo},
		{real, "https://rumble.com/c/somebody", "", NoVideo},
		{real, "https://rumble.com/v/abc.html", "", NoVideo},
		{demo, "http://127.0.0.1:8090/rumble/upload.php", "", NoVideo},
	} {
		got, err := c.client.CheckURL(c.text)
		if c.why == "" {
			if err != nil || got != c.want {
				t.Errorf("%q: got %q, %v; want %q", c.text, got, err, c.want)
			}
			continue
		}
		var e *AddressError
		if !errors.As(err, &e) || e.Why != c.why || got != "" {
			t.Errorf("%q: got %q, %v; want %q", c.text, got, err, c.why)
		}
	}
}

func TestCheckURL_UploadPageIsBesideTheVideos(t *testing.T) {
	if got := New(Config{BaseURL: "https://rumble.com/"}).UploadPage(); got != "https://rumble.com/upload.php" {
		t.Errorf("got %s", got)
	}
}
