// health.go is what the library says of the whole at a glance.

package desk

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"retake.example/internal/backup"
)

// Health is how work goes.
type Health struct {
	Busy    int          `json:"busy"` // workers that are making a video
	Workers int          `json:"workers"`
	Free    int64        `json:"disk_free"` // bytes; 0: nobody knows
	Oldest  time.Time    `json:"oldest_waiting,omitzero"`
	Outage  *Outage      `json:"outage,omitempty"` // nil: there is none
	Held    int          `json:"held,omitzero"`    // people whom a backup that was put back owes something; owners decide
	Decide  bool         `json:"-"`                // whoever looks may decide
	Backup  backup.State `json:"backup,omitzero"`
}

// Outage is why no videos are made.
type Outage struct {
	Began  time.Time `json:"began"`
	Spent  bool      `json:"spent"`  // so long that failures count again, and people are told
	Reason string    `json:"reason"` // in words
	Error  string    `json:"error"`  // as it came
	Next   time.Time `json:"next_try,omitzero"`
}

// LowDisk is when an admin should make room, in bytes.
const LowDisk = 2 << 30

// Low reports whether the disk has little room left.
func (h Health) Low() bool { return h.Free > 0 && h.Free < LowDisk }

// gigabytes is a number of bytes in gigabytes: 38, or 1.4 where that matters.
func gigabytes(say Say, bytes int64) string {
	gb := float64(bytes) / (1 << 30)
	if gb < 10 {
		return decimal(say, gb)
	}
	return fmt.Sprintf("%.0f", gb)
}

// direct asks this machine. What the environment says of a proxy is for other machines, and Go follows it for 0.0.0.0 and [::] too.
var direct = http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// CheckHealth asks the page at an address whether it is well.
func CheckHealth(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/healthz", nil)
	if err != nil {
		return err
	}
	resp, err := direct.Do(r)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", resp.Status)
	}
	return nil
}
