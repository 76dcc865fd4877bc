// protocol.go holds what travels between the centre and the workers, and where.

// Package farm has films made on other machines, over NATS JetStream. The centre, beside the database, places orders;
// workers pull them, one for each core, and leave the films in an object store. What people wait for is in the
// database, not in NATS, so an order or a film that is lost costs time and nothing else.
package farm

import (
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"retake.example/internal/video"
)

// Protocol is the version of everything in this file. It is part of an order's subject, so a worker never gets an
// order that it does not understand.
const Protocol = 1

// Names in NATS.
const (
	ordersStream = "RETAKE_ORDERS"
	fatesStream  = "RETAKE_FATES"
	filmsBucket  = "RETAKE_FILMS"
	partsBucket  = "RETAKE_PARTS"
	consumerName = "workers-"       // and the protocol
	orderSubject = "retake.order."  // and the protocol, the asset, the attempt
	fateSubject  = "retake.fate."   // and the asset, the attempt; see loneAt
	beatSubject  = "retake.beat."   // the same; not stored
	stopSubject  = "retake.stop."   // and the asset; not stored
	statSubject  = "retake.worker." // and the worker; not stored
	drainSubject = "retake.drain."  // and the worker; answered
)

// keep is how long orders, fates and films stay at most: they hold names, or show them.
const keep = time.Hour

// maxDeaths is how many workers may die while they make an order and nothing else, before that is its failure: as many
// as deaths of Retake itself. Few are not enough to tell an order that kills from one that was there when its machine
// was switched off. NATS cannot count them: it also delivers what a worker only held while another order killed it.
const maxDeaths = 5

// order is one film to make.
type order struct {
	Asset    string `json:"asset"`
	Attempt  int    `json:"attempt"`
	Name     string `json:"name"`
	Lang     string `json:"lang"`
	Template string `json:"template"`
	Kit      string `json:"kit"` // sha256 of the kit
}

// kit is what films are made with. Its files lie in the store of parts under their sha256.
type kit struct {
	Settings video.Kit         `json:"settings"` // without files
	Files    map[string]string `json:"files"`    // place in the kit: sha256
}

// fate is how an order ended.
type fate struct {
	Worker    string        `json:"worker"` // "": none is at fault
	Done      bool          `json:"done"`
	Film      stored        `json:"film,omitzero"`
	Still     stored        `json:"still,omitzero"`
	Width     int           `json:"width,omitempty"`
	Height    int           `json:"height,omitempty"`
	Duration  time.Duration `json:"duration,omitempty"`
	Note      string        `json:"note,omitempty"`
	Code      string        `json:"code,omitempty"`
	Text      string        `json:"text,omitempty"` // without the name
	Permanent bool          `json:"permanent,omitempty"`
	Wait      time.Duration `json:"wait,omitempty"` // the error asks to wait, which spends no attempt
}

// stored is a file in the store of films.
type stored struct {
	Object string `json:"object"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// beat is a sign of life of an order.
type beat struct {
	Worker    string `json:"worker"`
	Percent   int    `json:"percent"`
	Delivered int    `json:"delivered"`         // how many workers have begun it
	Over      bool   `json:"over"`              // its fate is stored
	Problem   string `json:"problem,omitempty"` // why it cannot be finished yet, without the name
}

// Status is what a worker says of itself.
type Status struct {
	ID       string        `json:"id"`
	Version  string        `json:"version"`
	Protocol int           `json:"protocol"`
	Cores    int           `json:"cores"`   // orders at a time
	Busy     int           `json:"busy"`    // orders under way
	Made     int           `json:"made"`    // films since it started
	Failed   int           `json:"failed"`  // orders that failed since it started
	Pace     time.Duration `json:"pace"`    // moving average of a film's time
	Problem  string        `json:"problem"` // the last error, without names
	Since    time.Time     `json:"since"`   // of the last error, by the clock that Now is of
	Now      time.Time     `json:"now"`     // when it says this
	Drained  bool          `json:"drained"` // it takes no more orders
}

// drain asks a worker to take no more orders, or to take them again.
type drain struct {
	On     bool   `json:"on"`
	Reason string `json:"reason"`
}

// keyOf names a try of an asset in subjects.
func keyOf(asset string, attempt int) string { return asset + "." + strconv.Itoa(attempt) }

func orderAt(protocol int, key string) string {
	return orderSubject + strconv.Itoa(protocol) + "." + key
}

// loneAt is where a worker notes, beside the fates, that it begins a redelivered order and makes no other film. A
// worker that is started again has another id.
func loneAt(key, worker string) string { return fateSubject + key + "-" + worker }

// consumerOf is the queue of a protocol's orders.
func consumerOf(protocol int) string { return consumerName + strconv.Itoa(protocol) }

// isToken reports whether a text may be part of a subject and of an object's name.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

// streams are what the centre keeps in NATS. An order and a fate exist once for each try: a second one is refused.
func streams(replicas int) []jetstream.StreamConfig {
	return []jetstream.StreamConfig{
		{Name: ordersStream, Subjects: []string{orderSubject + "*.*.*"}, Retention: jetstream.WorkQueuePolicy,
			Storage: jetstream.FileStorage, Replicas: replicas, MaxAge: keep, MaxMsgsPerSubject: 1,
			Discard: jetstream.DiscardNew, DiscardNewPerSubject: true, MaxMsgs: -1},
		{Name: fatesStream, Subjects: []string{fateSubject + "*.*"}, Retention: jetstream.LimitsPolicy,
			Storage: jetstream.FileStorage, Replicas: replicas, MaxAge: keep, MaxMsgsPerSubject: 1,
			Discard: jetstream.DiscardNew, DiscardNewPerSubject: true, MaxMsgs: -1},
	}
}

func buckets(replicas int) []jetstream.ObjectStoreConfig {
	return []jetstream.ObjectStoreConfig{
		{Bucket: filmsBucket, TTL: keep, Storage: jetstream.FileStorage, Replicas: replicas},
		{Bucket: partsBucket, Storage: jetstream.FileStorage, Replicas: replicas},
	}
}
