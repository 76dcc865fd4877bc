// state.go turns what is looked up at a scrape into gauges.

package metrics

import (
	"time"

	"retake.example/internal/farm"
	"retake.example/internal/store"
	"retake.example/internal/watch"
)

// State is the state of the program at a scrape.
type State struct {
	Backlogs     []Backlog
	Loads        []Load
	Assets       map[string]int // by status
	Needing      map[string]int // what needs an admin, by kind
	Advance      map[string]int // videos in advance, by state
	Undelivered  int            // messages that were given up
	Open, Wishes int            // requests that are not over; all since the database was made
	Platforms    []string       // there are to publish on
	Publications []Publications
	Channels     map[string]int // by state
	Consents     map[string]int // people, by their answer to the question whether they want announcements
	Announced    map[string]int // copies of announcements, by what became of them
	Inbox        int            // updates that are not handled
	SetAside     int            // updates that could not be
	BotOn        bool
	Stuck        map[string]bool  // why work does not flow, by the code of the reason
	Contact      time.Time        // when Telegram last answered the poll; zero: it has not
	Backup       time.Time        // when the latest was made; zero: there is none
	BackupCopy   time.Time        // when the latest in the bucket was made; zero: there is none
	Troubles     map[string]bool  // by cause
	Free         int64            // bytes on the disk
	Files        map[string]int64 // bytes of the database, by what they are
	Farm         Farm
}

// Farm is how the other machines are.
type Farm struct {
	Orders, Redelivered    int
	Workers, Drained, Gone int
	Cores, Busy            int           // of the workers that take orders
	pace                   time.Duration // sum of what is known
	paced                  int           // workers whose pace is known
}

func (f *Farm) add(w farm.Worker) {
	switch {
	case w.Gone:
		f.Gone++
		return
	case w.Drained:
		f.Drained++
	default:
		f.Workers++
		f.Cores += w.Cores
	}
	f.Busy += w.Busy
	if w.Pace > 0 {
		f.pace += w.Pace
		f.paced++
	}
}

// Backlog is pending work: waiting, later or started.
type Backlog struct {
	Kind, State string
	N           int
	Waiting     time.Duration // how long the first of it has waited
}

// Load is how many workers of a kind there are, and how many are idle.
type Load struct {
	Kind          string
	Workers, Idle int
}

// Publications counts those on a platform with a status.
type Publications struct {
	Platform, Status string
	N                int
}

// tell sets every gauge, also those that count nothing: a missing series is not zero.
func (s State) tell(set func(gauge string, value float64, labels ...string)) {
	backlogs, loads, publications := map[[2]string]Backlog{}, map[string]Load{}, map[[2]string]int{}
	for _, b := range s.Backlogs {
		backlogs[[2]string{b.Kind, b.State}] = b
	}
	for _, l := range s.Loads {
		loads[l.Kind] = l
	}
	for _, p := range s.Publications {
		publications[[2]string{p.Platform, p.Status}] = p.N
	}
	for _, kind := range kinds {
		for _, state := range []string{"waiting", "later", "started"} {
			set("retake_jobs", float64(backlogs[[2]string{kind, state}].N), kind, state)
		}
		set("retake_job_oldest_waiting_seconds", backlogs[[2]string{kind, "waiting"}].Waiting.Seconds(), kind)
		set("retake_workers", float64(loads[kind].Workers), kind)
		set("retake_workers_busy", float64(loads[kind].Workers-loads[kind].Idle), kind)
	}
	set("retake_assets", float64(s.Assets[string(store.Retried)]), string(store.Retried))
	for _, status := range []string{"PENDING", "PROCESSING", "COMPLETED", "FAILED"} {
		set("retake_assets", float64(s.Assets[status]), status)
		for _, platform := range s.Platforms {
			set("retake_publications", float64(publications[[2]string{platform, status}]), platform, status)
		}
	}
	for _, state := range []string{"CONNECTED", "ENDED", "DISCONNECTED"} {
		set("retake_channels", float64(s.Channels[state]), state)
	}
	for _, answer := range []string{"agreed", "declined", "ended", "unanswered"} {
		set("retake_announcement_consents", float64(s.Consents[answer]), answer)
	}
	for _, outcome := range []string{store.CopyDelivered, store.CopyBlocked, store.CopyFailed} {
		set("retake_announcement_messages", float64(s.Announced[outcome]), outcome)
	}
	set("retake_assets_needing_admin", float64(s.Needing[store.NeedsRetry]))
	for _, kind := range store.AttentionKinds {
		set("retake_attention", float64(s.Needing[kind]), kind)
	}
	for _, state := range []string{"waiting", "live", "ready", "failed"} {
		set("retake_advance_videos", float64(s.Advance[state]), state)
	}
	set("retake_messages_undelivered", float64(s.Undelivered))
	set("retake_requests_open", float64(s.Open))
	set("retake_requests_total", float64(s.Wishes))
	set("retake_telegram_inbox", float64(s.Inbox))
	set("retake_telegram_set_aside", float64(s.SetAside))
	set("retake_telegram_contact_timestamp_seconds", timestamp(s.Contact))
	set("retake_bot_on", one(s.BotOn))
	for _, reason := range watch.ReasonCodes {
		set("retake_ready", one(!s.Stuck[reason]), reason)
	}
	set("retake_backup_timestamp_seconds", timestamp(s.Backup))
	set("retake_backup_copy_timestamp_seconds", timestamp(s.BackupCopy))
	for _, cause := range causes {
		set("retake_trouble", one(s.Troubles[cause]), cause)
	}
	for state, n := range map[string]int{"working": s.Farm.Workers, "drained": s.Farm.Drained, "gone": s.Farm.Gone} {
		set("retake_farm_workers", float64(n), state)
	}
	set("retake_farm_cores", float64(s.Farm.Cores))
	set("retake_farm_cores_busy", float64(s.Farm.Busy))
	set("retake_farm_orders", float64(s.Farm.Orders))
	set("retake_farm_redeliveries_total", float64(s.Farm.Redelivered))
	set("retake_farm_video_seconds", s.Farm.pace.Seconds()/float64(max(1, s.Farm.paced)))
	set("retake_outage", one(s.Troubles["outage"]))
	set("retake_disk_free_bytes", float64(s.Free))
	for file, size := range s.Files {
		set("retake_database_bytes", float64(size), file)
	}
}

// timestamp is a time as Prometheus counts it; 0: there is none.
func timestamp(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
