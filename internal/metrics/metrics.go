// Package metrics counts what happens and exports it to Prometheus, with values that are looked up at each scrape.
// Labels are fixed words: never a name or an id of a person.
package metrics

import (
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// gauges are looked up at each scrape: nothing is kept, so they are right after a start, too.
var gauges = map[string]struct {
	help   string
	labels []string
}{
	"retake_jobs": {"Pending work: waiting for a worker, later (due in the " +
		"future), or started.", []string{"kind", "state"}},
	"retake_job_oldest_waiting_seconds": {"How long the job that has waited longest for a worker has " +
		"waited; 0: none waits.", []string{"kind"}},
	"retake_workers":      {"Jobs that can run at a time.", []string{"kind"}},
	"retake_workers_busy": {"Workers that run one.", []string{"kind"}},
	"retake_assets": {"Videos by status. FAILED: somebody would get them by another try; RETRIED: failed, and nobody " +
		"needs them any more. Earlier tries at a video are not counted.", []string{"status"}},
	"retake_assets_needing_admin": {"Failed videos that somebody would get by another try.", nil},
	"retake_bot_on":               {"1 if the settings have the token of a bot.", nil},
	"retake_ready": {"0 while work does not flow for that reason: setup, database, disk, outage, stuck, telegram, " +
		"media, engine, voice, undelivered, backup.", []string{"reason"}},
	"retake_backup_timestamp_seconds":      {"When the latest backup was made; 0: there is none.", nil},
	"retake_backup_copy_timestamp_seconds": {"When the latest backup in the bucket was made; 0: there is none.", nil},
	"retake_attention":                     {"What needs an admin, as the page lists it first.", []string{"kind"}},
	"retake_advance_videos": {"Videos made in advance: waiting on the list, live (being made, or " +
		"waiting for another attempt), ready, or failed.", []string{"state"}},
	"retake_messages_undelivered": {"Messages that were given up and have not been sent since.", nil},
	"retake_requests_open":        {"People waiting for a video, each counted once for each video.", nil},
	"retake_requests_total":       {"Requests for a video since the database was made.", nil},
	"retake_publications": {
		"Videos on platforms, or on their way there, by status.",
		[]string{"platform", "status"},
	},
	"retake_channels": {"Channels by state: CONNECTED, ENDED (to be connected again), " +
		"DISCONNECTED.", []string{"state"}},
	"retake_announcement_consents": {"People by their answer to the question whether they want announcements: " +
		"agreed, declined, ended (they have blocked the bot), unanswered.", []string{"answer"}},
	"retake_announcement_messages": {"Copies of the announcements that are kept, by what became of them: delivered, " +
		"blocked, failed.", []string{"outcome"}},
	"retake_telegram_inbox":     {"Updates from Telegram that have not been handled yet.", nil},
	"retake_telegram_set_aside": {"Updates from Telegram that could not be handled or answered.", nil},
	"retake_telegram_contact_timestamp_seconds": {"When Telegram last answered the poll for updates; 0: not " +
		"since the start, or the bot is off.", nil},
	"retake_farm_workers":            {"Machines that make videos, by state: working, drained, gone.", []string{"state"}},
	"retake_farm_cores":              {"Videos that they can make at a time.", nil},
	"retake_farm_cores_busy":         {"Videos that they are making.", nil},
	"retake_farm_orders":             {"Orders on the farm that are not finished.", nil},
	"retake_farm_redeliveries_total": {"Orders that went to another worker because one died, since the start.", nil},
	"retake_farm_video_seconds":      {"How long a worker takes for a video, on average; 0: unknown.", nil},
	"retake_outage": {"1 while videos fail for a reason that is not their own, and " +
		"one at a time is tried.", nil},
	"retake_trouble": {"1 while something needs the operator: outage, disk, channel, " +
		"backup, telegram, media, engine, voice.", []string{"cause"}},
	"retake_disk_free_bytes": {"Bytes that may still be written to the disk of the data folder.", nil},
	"retake_database_bytes": {"Size of the database file (main) and of its write-ahead log " +
		"(wal).", []string{"file"}},
}

// Meter counts, and answers scrapes.
type Meter struct {
	attempts, calls *prometheus.CounterVec
	updates         prometheus.Counter
	renders, waits  prometheus.Histogram
	registry        *prometheus.Registry
}

// New returns a Meter of a program of that version.
func New(version string) *Meter {
	m := &Meter{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "retake_attempts_total",
			Help: "Attempts at jobs that have ended. A job ends with done or gave_up."}, []string{"kind", "outcome"}),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "retake_telegram_calls_total",
			Help: "Calls of Telegram's Bot API but for the poll. too_many: a 429; held: not made, because Telegram " +
				"asked to wait or is down."}, []string{"method", "result"}),
		updates: prometheus.NewCounter(
			prometheus.CounterOpts{Name: "retake_telegram_updates_total", Help: "Updates received from Telegram."},
		),
		renders: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "retake_render_seconds",
			Help:    "How long it took to make and keep a video.",
			Buckets: []float64{0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600}}),
		waits: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "retake_telegram_wait_seconds",
			Help:    "How long a message to a chat waited for its turn, which Telegram's limits set.",
			Buckets: []float64{0.01, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300}}),
		registry: prometheus.NewRegistry(),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "retake_build_info", Help: "1, with the version as a " +
		"label.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()}})
	build.Set(1)
	for _, kind := range kinds { // the rate of what has not happened yet is 0, not missing
		for _, outcome := range outcomes {
			m.attempts.WithLabelValues(kind, outcome)
		}
	}
	for _, method := range methods {
		for _, result := range results {
			m.calls.WithLabelValues(method, result)
		}
	}
	m.registry.MustRegister(build, m.attempts, m.calls, m.updates, m.renders, m.waits,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// The values of labels.
var (
	kinds    = []string{"RENDER", "ANNOUNCE", "DELIVER", "APOLOGISE", "PUBLISH"}
	outcomes = []string{"done", "rescheduled", "deferred", "gave_up", "undelivered", "given_back", "dropped"}
	causes   = []string{"outage", "disk", "channel", "backup", "telegram", "media", "engine", "voice"}
	methods  = []string{"sendMessage", "sendVideo", "editMessageText", "editMessageReplyMarkup", "deleteMessage",
		"answerCallbackQuery", "setMyCommands", "getMe"}
	results = []string{
		"ok",
		"too_many",
		"held",
		"down",
		"gone",
		"refused",
		"bad_file",
		"odd",
		"stopped",
		"token",
		"logged_out",
		"webhook",
		"other_poller",
		"too_large",
		"unreadable",
		"dropped",
		"no_message",
	}
)

// Ended counts the end of an attempt at a job.
func (m *Meter) Ended(kind, outcome string) { m.attempts.WithLabelValues(kind, outcome).Inc() }

// Rendered counts a video and how long it took.
func (m *Meter) Rendered(took time.Duration) { m.renders.Observe(took.Seconds()) }

// Called counts a call of the Bot API.
func (m *Meter) Called(method, result string) { m.calls.WithLabelValues(method, result).Inc() }

// Waited counts a message and how long it waited for its turn.
func (m *Meter) Waited(d time.Duration) { m.waits.Observe(d.Seconds()) }

// Received counts updates.
func (m *Meter) Received(n int) { m.updates.Add(float64(n)) }

// Handler answers with everything. look is called at each scrape; what cannot be looked up is a 500 with the reason,
// because half the truth would look like zero. It is called once.
func (m *Meter) Handler(look func() (State, error)) http.Handler {
	m.registry.MustRegister(lookup{look, descriptions()})
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 2})
}

// lookup is the collector of the gauges.
type lookup struct {
	look func() (State, error)
	of   map[string]*prometheus.Desc
}

func descriptions() map[string]*prometheus.Desc {
	of := map[string]*prometheus.Desc{}
	for name, g := range gauges {
		of[name] = prometheus.NewDesc(name, g.help, g.labels, nil)
	}
	return of
}

// Describe implements prometheus.Collector.
func (l lookup) Describe(to chan<- *prometheus.Desc) {
	for _, name := range slices.Sorted(maps.Keys(l.of)) {
		to <- l.of[name]
	}
}

// Collect implements prometheus.Collector.
func (l lookup) Collect(to chan<- prometheus.Metric) {
	state, err := l.look()
	if err != nil {
		to <- prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(err), fmt.Errorf("look at the program: %w", err))
		return
	}
	state.tell(func(name string, value float64, labels ...string) {
		kind := prometheus.GaugeValue
		if strings.HasSuffix(name, "_total") {
			kind = prometheus.CounterValue
		}
		to <- prometheus.MustNewConstMetric(l.of[name], kind, value, labels...)
	})
}
