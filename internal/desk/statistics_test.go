// Tests of the statistics: what is counted, and that the counts outlive what they count.

package desk

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestStatistics_CountDaysAndOutliveThePurge(t *testing.T) {
	r := newRig(t)
	day := int64(r.store.Now().UnixMilli() / 86_400_000 * 86_400_000)
	r.mutate(`INSERT INTO users (id, lang, created, seen) VALUES (1, 'ru', ?1, ?1), (2, 'ru', ?1, ?1)`, day-86_400_000)
	r.mutate(`UPDATE users SET seen = ? WHERE id = 1`, day+1000)
	r.mutate(`UPDATE users SET unreachable = ? WHERE id = 2`, day+1000)
	r.mutate(`UPDATE users SET source = 'flyer' WHERE id = 1`)
	for _, a := range []struct {
		id, status string
		wait       int64
	}{{"a", "COMPLETED", 4_200}, {"b", "FAILED", 0}, {"c", "COMPLETED", 95_000}} {
		id := strings.Repeat(a.id, 26)
		r.mutate(`INSERT INTO assets (id, name, name_key, template, lang, origin, created) VALUES (?1, ?2, ?2, 'new-year', 'ru', 'REQUEST', ?3)`,
			id, "маша"+a.id, day)
		r.mutate(`INSERT INTO requests (user_id, asset_id, chat_id, status, created) VALUES (1, ?, 1, 'PENDING', ?)`, id, day)
		if a.status == "FAILED" {
			r.mutate(`UPDATE assets SET status = 'FAILED', error = 'no', error_code = 'TIMEOUT', finished = ? WHERE id = ?`, day, id)
			continue
		}
		r.mutate(`UPDATE assets SET status = 'COMPLETED', file = 'f.mp4', finished = ? WHERE id = ?`, day+1, id)
		r.mutate(`UPDATE requests SET status = 'COMPLETED', finished = ? WHERE asset_id = ?`, day+a.wait, id)
	}
	r.mutate(`DELETE FROM assets`)
	r.mutate(`DELETE FROM users`)
	sums, err := r.sums(t.Context(), 7)
	if err != nil {
		t.Fatal(err)
	}
	v := newStatistics(sayIn("en"), sums)
	today := v.Days[6]
	want := DayTotals{Date: time.UnixMilli(day).UTC().Format(time.DateOnly)}
	if today.Date != want.Date || today.Asked != 3 || today.Made != 2 || today.Failed != 1 || today.Median != 5 ||
		today.Most != 100 || today.Returning != 1 || today.Blocked != 1 || v.Days[5].New != 2 {
		t.Errorf("got %+v and %+v; want %+v, and two new people the day before", today, v.Days[5], want)
	}
	if len(v.Reasons) != 1 || v.Reasons[0].Name != "It took too long and was stopped." || len(v.Templates) != 1 ||
		v.Templates[0].Made != 2 || len(v.Sources) != 1 || v.Sources[0] != (Amount{"flyer", 1}) {
		t.Errorf("got reasons %+v, templates %+v, sources %+v", v.Reasons, v.Templates, v.Sources)
	}
	page := r.do(r.Statistics, sent{method: "GET"}).Body.String()
	for _, want := range []string{`<path class="s1" d="M`, "flyer",
		`<tr><th scope="row">` + want.Date + `</th><td>3</td><td>2</td><td>1</td></tr>`,
		`<tr><th scope="row">` + want.Date + `</th><td>5 s</td><td>1:40</td></tr>`} {
		if !strings.Contains(page, want) {
			t.Errorf("got %s; want %s", page, want)
		}
	}
	if strings.Contains(page, "маша") {
		t.Errorf("got %s; want no name", page)
	}
	if file := r.do(r.StatisticsFile, sent{method: "GET"}).Body.String(); !strings.Contains(file, ",made,new-year,,2\n") {
		t.Errorf("got %s; want the totals", file)
	}
}

func TestStatistics_WhatHappensAfterAPageIsOnTheNext(t *testing.T) {
	r := newRig(t)
	today := r.store.Now().UnixMilli() / 86_400_000
	more := func(day int64, what, detail string) {
		r.mutate(`INSERT INTO totals VALUES (?1, ?2, 'new-year', ?3, 1) ON CONFLICT DO UPDATE SET n = n + 1`, day, what, detail)
	}
	for ago := range int64(30) {
		more(today-ago, "made", "")
		more(today-ago, "waited", "10")
	}
	for n := range 3 {
		sums, err := r.sums(t.Context(), 30)
		if err != nil {
			t.Fatal(err)
		}
		v := newStatistics(sayIn("en"), sums)
		if v.All.Made != 30+2*n || v.Days[29].Made != 1+n || v.Days[28].Made != 1+n || v.Templates[0].Made != 30+2*n ||
			v.Days[29].Median != 10 || v.All.Median != 10 {
			t.Errorf("got %+v, today %+v, yesterday %+v; want %d more each", v.All, v.Days[29], v.Days[28], n)
		}
		file := r.do(r.StatisticsFile, sent{method: "GET", path: "/?days=30"}).Body.String()
		if !strings.HasPrefix(file, "day,what,template,detail,count\n") || strings.Count(file, "\n") != 1+2*30 ||
			!strings.HasSuffix(file, fmt.Sprintf(",made,new-year,,%d\n%s,waited,new-year,10,1\n", 1+n, v.Days[29].Date)) {
			t.Errorf("got %s; want a line for each, with %d of today", file, 1+n)
		}
		more(today, "made", "")
		more(today-1, "made", "")
	}
	if sums, err := r.sums(t.Context(), 7); err != nil || newStatistics(sayIn("en"), sums).All.Made != 7+6 {
		t.Errorf("got %v; want the days of another page", err)
	}
}
