// The schema, the steps that lead to it, and the opening of the database.

package main

import (
	"context"
	"embed"
	"io/fs"

	"retake.example/internal/db"
	"retake.example/internal/store"
)

//go:embed schema.sql
var schema string

// Each file in migrations leads from one version of the schema to the next; they are only ever added to. Views and
// triggers are dropped before them. schema.sql makes them again, and adds tables and indexes that are new.
//
//go:embed migrations/*.sql
var migrations embed.FS

// steps are the texts of the migrations, that to version 2 first.
var steps = func() (texts []string) {
	names, _ := fs.Glob(migrations, "migrations/v*.sql") // sorted
	for _, name := range names {
		text, err := migrations.ReadFile(name)
		if err != nil {
			panic(err) // it is in the binary
		}
		texts = append(texts, string(text))
	}
	return texts
}()

// schemaVersion is the version of the schema.
func schemaVersion() int { return len(steps) + 1 }

// OpenStore opens the database file at path, and creates or upgrades it.
func OpenStore(path string) (*store.Store, error) { return OpenStoreWith(path, store.Options{}) }

// OpenStoreWith is OpenStore with the Before and Now of o.
func OpenStoreWith(path string, o store.Options) (*store.Store, error) {
	o.Schema, o.Steps = schema, steps
	return store.Open(path, o)
}

// LookAt reads the file of a database that another process may be using, and changes nothing. broken is what is damaged
// in it; newer: it belongs to a newer version of the program.
func LookAt(ctx context.Context, path string) (broken []string, newer bool, err error) {
	d, err := db.Look(path)
	if err != nil {
		return nil, false, err
	}
	defer d.Close()
	version, broken, err := db.Examine(ctx, d)
	return broken, version > len(steps)+1, err
}
