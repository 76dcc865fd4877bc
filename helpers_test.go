// Short names for the fixtures that tests of several files share.

package main

import (
	"context"
	"database/sql"
	"io"
	"log/slog"
	"time"

	"retake.example/internal/command"
	"retake.example/internal/config"
	"retake.example/internal/testrig"
)

const (
	testToken  = testrig.Token
	brokenFile = testrig.BrokenFile
	stall      = testrig.Stall
	day        = 24 * time.Hour
)

type (
	journal = testrig.Journal
	part    = testrig.Part
)

var (
	notShort    = testrig.NotShort
	openStore   = testrig.OpenStore
	newStore    = testrig.NewStore
	setNow      = testrig.SetNow
	readDB      = testrig.ReadDB
	commits     = testrig.Commits
	plant       = testrig.Plant
	texts       = testrig.Texts
	list        = testrig.List
	write       = testrig.Write
	mutate      = testrig.Mutate
	count       = testrig.Count
	text        = testrig.Text
	ask         = testrig.Ask
	wish        = testrig.Wish
	begin       = testrig.Begin
	beginAll    = testrig.BeginAll
	complete    = testrig.Complete
	madeByAdmin = testrig.MadeByAdmin
	keeps       = testrig.Keeps
	newProgress = testrig.NewProgress
	until       = testrig.Until
	sample      = testrig.Sample
	engine      = testrig.Engine
	letters     = testrig.Letters
	keysOf      = testrig.KeysOf
	bucketOf    = testrig.BucketOf
	answers     = testrig.Answers
	since       = testrig.AnswersAfter
	videos      = testrig.Videos
	press       = testrig.Press
	long        = testrig.Long
	isPeace     = testrig.IsPeace
	form        = testrig.Form
	post        = testrig.Post
	connected   = testrig.Connected
	uploaded    = testrig.Uploaded
	publishes   = testrig.Publishes
)

func collect[T any](rows *sql.Rows, err error, scan func(*T) error) ([]T, error) {
	return testrig.Collect(rows, err, scan)
}

func null[T comparable](v T) any { return testrig.Null(v) }

// serveWith runs the program with settings that are read from nowhere.
func serveWith(ctx context.Context, cfg config.Config, log *slog.Logger, out io.Writer,
	wrap func(renderer) renderer) error {
	return command.Serve(ctx, command.Fixed(cfg, log, out),
		func(ctx context.Context, run command.Run) error { return serve(ctx, run, wrap) })
}
