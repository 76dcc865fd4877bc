// Probes of what every program needs: its settings, a folder, a disk, an address.

package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// File examines the file of the settings; path is empty if there is none. secret says whether it holds a secret.
func File(path string, secret bool) []Finding {
	if path == "" {
		return []Finding{Well("no file: using the defaults and the environment; retake init writes one")}
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return []Finding{Wrong("%v", err)}
	case secret && info.Mode()&0o004 != 0:
		return []Finding{Warn("every user of this machine can read the secrets in %s: run chmod 600 %[1]s as the "+
			"user that serve runs as",
			path)}
	}
	return []Finding{Well("%s", path)}
}

// Folder examines whether the folder of a setting can be written to, or made.
func Folder(dir, setting string) []Finding {
	advice := "make it writable for this user, or set another " + setting
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		above := existing(dir)
		if err := writable(above); err != nil {
			return []Finding{Wrong("%s does not exist and cannot be made: %v: %s", dir, err, advice)}
		}
		return []Finding{Well("%s will be made when needed", dir)}
	case err != nil:
		return []Finding{Wrong("%v: %s", err, advice)}
	case !info.IsDir():
		return []Finding{Wrong("%s is not a folder: %s", dir, advice)}
	}
	if err := writable(dir); err != nil {
		return []Finding{Wrong("%v: %s", err, advice)}
	}
	inside, err := os.ReadDir(dir)
	if err != nil {
		return []Finding{Wrong("%v: %s", err, advice)}
	}
	for _, e := range inside { // serve may have run as another user before
		if path := filepath.Join(dir, e.Name()); syscall.Access(path, mayWrite) != nil {
			return []Finding{Wrong("%s is not writable: give all of %s to the user that serve runs as (chown -R)",
				path, dir)}
		}
	}
	return []Finding{Well("%s", dir)}
}

const mayWrite = 2 // W_OK of access(2)

// writable writes a file to a folder to see whether it can.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".check-")
	if err != nil {
		if path, ok := errors.AsType[*fs.PathError](err); ok {
			err = fmt.Errorf("%s: %w", dir, path.Err) // without the name of the temporary file
		}
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// existing returns the folder, or the nearest parent that exists.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
		above := filepath.Dir(dir)
		if above == dir {
			return above
		}
		dir = above
	}
}

// Disk examines the free space on the disk of a folder. Below least bytes nothing works; below low bytes it warns.
func Disk(dir string, least, low int64) []Finding {
	var s syscall.Statfs_t
	at := existing(dir)
	if err := syscall.Statfs(at, &s); err != nil {
		return []Finding{Warn("the free space on the disk of %s cannot be read: %v", at, err)}
	}
	return room(at, int64(s.Bavail)*int64(s.Bsize), least, low)
}

func room(dir string, free, least, low int64) []Finding {
	gb := float64(free) / (1 << 30)
	switch {
	case free < least:
		return []Finding{Wrong("%d MB are free on the disk of %s, too few to make a video: delete files you don't need",
			free>>20, dir)}
	case free < low:
		return []Finding{Warn("%.1f GB are free on the disk of %s: free some space soon, or set media.store to s3", gb,
			dir)}
	}
	return []Finding{Well("%.1f GB are free", gb)}
}

// Backups examines the folder for backups of the data folder. off says that automatic backups are disabled. room
// returns an error if a backup does not fit into a folder, and fs.ErrNotExist if there is no database yet.
func Backups(dir, data string, off bool, room func(dir string) error) []Finding {
	if off {
		return []Finding{Well("off: backup.every is 0s")}
	}
	found := Folder(dir, "backup.dir")
	if worst(found) == Fault {
		return found
	}
	at := existing(dir)
	if err := room(at); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return []Finding{Wrong("%v: delete files you don't need, or set another backup.dir", err)}
	}
	var theirs, ours syscall.Stat_t
	if err := errors.Join(syscall.Stat(at, &theirs), syscall.Stat(existing(data), &ours)); err == nil &&
		theirs.Dev == ours.Dev {
		return []Finding{Well("%s, on the disk of the data folder; on another disk they would survive its loss", dir)}
	}
	return found
}

// Port examines the address on which the page listens. owner is the process that uses the data folder, or 0.
func Port(ctx context.Context, listen string, owner int) []Finding {
	l, err := net.Listen("tcp", listen)
	switch {
	case err == nil:
		l.Close()
		if owner != 0 {
			return []Finding{Warn("process %d uses the data folder but does not listen on web.listen, %s: restart it "+
				"if you changed that", owner, listen)}
		}
		return []Finding{Well("%s is free", listen)}
	case errors.Is(err, syscall.EADDRINUSE):
		switch ours := isOurs(ctx, listen); {
		case ours && owner != 0:
			return []Finding{Well("process %d serves it on %s", owner, listen)}
		case ours:
			return []Finding{Wrong("another Retake with another data folder listens on web.listen, %s: stop it, or "+
				"choose another port", listen)}
		}
		return []Finding{Wrong("another program listens on web.listen, %s: stop it, or choose another port", listen)}
	case errors.Is(err, syscall.EACCES):
		return []Finding{Wrong("this user may not listen on web.listen, %s: choose a port above 1023 and put a proxy "+
			"in front", listen)}
	}
	if of, ok := errors.AsType[*net.OpError](err); ok {
		err = of.Err
	}
	return []Finding{Wrong("no program can listen on web.listen, %s (%v): choose an address of this machine, such as "+
		"127.0.0.1:8080", listen, err)}
}

// direct ignores the proxy of the environment, which Go would also use for 0.0.0.0 and [::].
var direct = &http.Transport{DisableKeepAlives: true}

// isOurs asks the program that listens whether it is a Retake, healthy or not.
func isOurs(ctx context.Context, listen string) bool {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listen+"/healthz", nil)
	if err != nil {
		return false
	}
	resp, err := direct.RoundTrip(r)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 100))
	return resp.StatusCode == http.StatusOK && strings.TrimSpace(string(body)) == "ok" ||
		resp.StatusCode == http.StatusServiceUnavailable
}

// Page examines whether web.base_url leads to the address on which the page listens.
func Page(listen, baseURL string) []Finding {
	u, err := url.Parse(baseURL)
	_, port, err2 := net.SplitHostPort(listen)
	if err != nil || err2 != nil {
		return nil // already reported as a fault of the settings
	}
	there := u.Port()
	if there == "" {
		there = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	switch {
	case u.Scheme == "http" && isLocal(u.Hostname()) && there != port && port != "0":
		return []Finding{Wrong("web.base_url is %s, but the page listens on port %s: make them agree",
			baseURL, port)}
	case u.Scheme == "http" && isLocal(u.Hostname()):
		return []Finding{Well("%s works on this machine only; for others, set web.base_url and put a proxy with "+
			"https in front", baseURL)}
	case u.Scheme == "http":
		return []Finding{Warn("web.base_url, %s, is without https: others on the network can read the admins' "+
			"sessions; put a proxy in front, such as Caddy", baseURL)}
	}
	return []Finding{Well("%s", baseURL)}
}

// isLocal reports whether a host is certainly this machine.
func isLocal(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
