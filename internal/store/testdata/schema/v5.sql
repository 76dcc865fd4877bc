PRAGMA user_version = 5;
CREATE TABLE users (
	id          INTEGER PRIMARY KEY,                   -- Telegram user id
	lang        TEXT    NOT NULL CHECK (lang <> ''),   -- BCP 47; picks the message file
	created     INTEGER NOT NULL,
	unreachable INTEGER,                               -- since when messages are refused (blocked, deactivated); NULL: not
	seen        INTEGER NOT NULL DEFAULT 0             -- wrote or pressed last, to the day
) STRICT;
CREATE TABLE drafts (
	id          TEXT    PRIMARY KEY,                   -- random
	user_id     INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	name        TEXT    NOT NULL,
	created     INTEGER NOT NULL                       -- forgotten a day later
) STRICT;
CREATE TABLE assets (
	id          TEXT    PRIMARY KEY CHECK (length(id) BETWEEN 26 AND 36), -- random, never counted: an old button must not name another child's video
	name        TEXT    NOT NULL CHECK (name = trim(name) AND name <> ''),  -- what was typed, or an upload's title
	name_key    TEXT    NOT NULL CHECK (name_key <> ''),                    -- folded in Go: equal keys mean the same video
	template    TEXT    NOT NULL,                      -- of the renderer; '' for an upload
	lang        TEXT    NOT NULL,                      -- of the video: its first asker's when asking, or that of the settings
	origin      TEXT    NOT NULL CHECK (origin IN ('REQUEST', 'UPLOAD')),
	creator     INTEGER,                               -- admin who made it on the page (Telegram id; 0: the operator); NULL: users asked for it
	retry_of    TEXT    REFERENCES assets (id) ON DELETE SET NULL,
	status      TEXT    NOT NULL DEFAULT 'PENDING' CHECK (status = 'PENDING' OR status = 'PROCESSING' OR status = 'COMPLETED' OR status = 'FAILED'),
	file        TEXT,                                  -- key of the video in the media store; its end says what kind it is
	thumb       TEXT,                                  -- key of the JPEG in the media store
	size        INTEGER,                               -- bytes of the video
	duration    INTEGER,                               -- ms
	width       INTEGER,                               -- px
	height      INTEGER,                               -- px
	file_id     TEXT,                                  -- Telegram's, after the first upload; belongs to one bot
	error       TEXT,                                  -- technical: for admins, never sent to users
	metadata    TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(metadata)), -- what it is published with, as an admin saved it; {}: nobody has
	created     INTEGER NOT NULL,
	finished    INTEGER,
	needs       INTEGER NOT NULL DEFAULT 0 CHECK (needs IN (0, 1)), -- an admin; set when it fails, 0 for good once it is settled
	youtube     INTEGER NOT NULL DEFAULT 0 CHECK (youtube IN (0, 1)), -- has a publication there
	rumble      INTEGER NOT NULL DEFAULT 0 CHECK (rumble IN (0, 1)),  -- and there
	unwanted    INTEGER,                               -- since when it should go: whoever asked for it is forgotten; it may be on a platform
	CONSTRAINT finished_has_time CHECK ((status IN ('COMPLETED', 'FAILED')) = (finished IS NOT NULL)),
	CONSTRAINT completed_has_file CHECK ((status = 'COMPLETED') = (file IS NOT NULL)),
	CONSTRAINT failed_has_error CHECK ((status = 'FAILED') = (error IS NOT NULL)),
	CONSTRAINT only_a_failure_needs CHECK (needs = 0 OR status = 'FAILED'),
	CONSTRAINT upload_has_creator CHECK (origin = 'REQUEST' OR creator IS NOT NULL)
) STRICT;
CREATE TABLE tallies (
	name_key    TEXT    NOT NULL,
	part        TEXT    NOT NULL,                      -- '': all of them; NEEDS: those that need an admin; YOUTUBE, RUMBLE: those that are there
	status      TEXT    NOT NULL,
	n           INTEGER NOT NULL CHECK (n >= 0),
	PRIMARY KEY (name_key, part, status)
) STRICT, WITHOUT ROWID;
CREATE TABLE tails (
	tail        TEXT    NOT NULL,                      -- with spaces for hyphens
	name_key    TEXT    NOT NULL,
	PRIMARY KEY (tail, name_key)
) STRICT, WITHOUT ROWID;
CREATE TABLE requests (
	id          INTEGER PRIMARY KEY AUTOINCREMENT,     -- never used again: it orders a user's requests
	user_id     INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	asset_id    TEXT    NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
	chat_id     INTEGER NOT NULL,                      -- where the answer goes
	status      TEXT    NOT NULL CHECK (status = 'PENDING' OR status = 'PROCESSING' OR status = 'COMPLETED' OR status = 'FAILED'),
	progress_id INTEGER,                               -- message that tells how far it is, edited in place
	answer_id   INTEGER,                               -- message that brought the video or the apology
	created     INTEGER NOT NULL,
	finished    INTEGER,
	held        INTEGER NOT NULL DEFAULT 0 CHECK (held BETWEEN 0 AND 2), -- owed in a backup that was put back, and perhaps sent since: 1: an admin decides; 2: has decided that nothing is sent
	CONSTRAINT one_per_user_and_asset UNIQUE (user_id, asset_id), -- a second press or message is not a second request
	CONSTRAINT finished_has_time CHECK ((status IN ('COMPLETED', 'FAILED')) = (finished IS NOT NULL))
) STRICT;
CREATE TABLE channels (
	id          INTEGER PRIMARY KEY,
	platform    TEXT    NOT NULL CHECK (platform = 'YOUTUBE'),
	external_id TEXT    NOT NULL CHECK (external_id <> ''), -- the platform's
	title       TEXT    NOT NULL,
	state       TEXT    NOT NULL CHECK (state IN ('CONNECTED', 'ENDED', 'DISCONNECTED')), -- ENDED: the platform refuses the token
	token       BLOB,                                  -- sealed
	error       TEXT,                                  -- why access has ended
	creator     INTEGER NOT NULL,                      -- admin who connected it last
	connected   INTEGER NOT NULL,                      -- when that was
	checked     INTEGER NOT NULL,                      -- when it last worked
	hold        INTEGER NOT NULL DEFAULT 0,            -- until then no upload begins
	hold_for    TEXT    NOT NULL DEFAULT '' CHECK (hold_for IN ('', 'quota', 'limit')), -- of the whole app, of the channel
	CONSTRAINT one_row_per_channel UNIQUE (platform, external_id),
	CONSTRAINT disconnected_has_no_token CHECK ((state = 'DISCONNECTED') = (token IS NULL)),
	CONSTRAINT ended_has_error CHECK ((state = 'ENDED') = (error IS NOT NULL))
) STRICT;
CREATE TABLE uploads (
	at          INTEGER NOT NULL                       -- forgotten two days later
) STRICT;
CREATE TABLE publications (
	id          INTEGER PRIMARY KEY,
	asset_id    TEXT    NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
	platform    TEXT    NOT NULL CHECK (platform IN ('YOUTUBE', 'RUMBLE')),
	channel_id  INTEGER REFERENCES channels (id),      -- NULL: the platform is not connected by channels
	creator     INTEGER NOT NULL,                      -- admin (Telegram id; 0: the operator); only they or an owner may retry
	status      TEXT    NOT NULL DEFAULT 'PENDING' CHECK (status = 'PENDING' OR status = 'PROCESSING' OR status = 'COMPLETED' OR status = 'FAILED'),
	step        TEXT    NOT NULL DEFAULT '' CHECK (step IN ('', -- finer than the status, for people
		'scheduled', 'quota', 'limit', 'manual', -- what a PENDING one waits for; a COMPLETED one that was done by hand
		'uploading', 'processing',               -- how far a PROCESSING one is; a PENDING one with 'uploading' goes on from there
		'reconnect', 'edit', 'account', 'rejected', 'unknown')), -- what a FAILED one needs
	metadata    TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(metadata)), -- title, description, … as chosen
	publish_at  INTEGER,                               -- when it is to be public; NULL: at once
	session_uri TEXT,                                  -- of a resumable upload; a bearer secret
	session_at  INTEGER,                               -- when that began
	sent        INTEGER NOT NULL DEFAULT 0,            -- bytes the platform has confirmed
	uploaded    INTEGER,                               -- when the platform had all of it
	dressed     INTEGER NOT NULL DEFAULT 0 CHECK (dressed IN (0, 1)), -- picture and playlist have had their turn
	remote_id   TEXT,                                  -- on the platform, once it is there
	remote_url  TEXT,
	error       TEXT,
	warning     TEXT,                                  -- published, but something smaller did not work
	created     INTEGER NOT NULL,
	started     INTEGER,
	completed   INTEGER,
	CONSTRAINT one_per_asset_and_platform UNIQUE (asset_id, platform),
	CONSTRAINT pending_is_clean CHECK (status <> 'PENDING' OR (error IS NULL AND started IS NULL AND completed IS NULL)),
	CONSTRAINT finished_has_time CHECK ((status IN ('COMPLETED', 'FAILED')) = (completed IS NOT NULL)),
	CONSTRAINT failed_has_error CHECK ((status = 'FAILED') = (error IS NOT NULL)),
	CONSTRAINT session_has_time CHECK ((session_uri IS NULL) = (session_at IS NULL))
	-- No "completed has a remote id": a hand-off to Rumble is done when an admin says so.
) STRICT;
CREATE TABLE jobs (
	id             INTEGER PRIMARY KEY AUTOINCREMENT,
	kind           TEXT    NOT NULL CHECK (kind = 'RENDER' OR kind = 'ANNOUNCE' OR kind = 'DELIVER' OR kind = 'APOLOGISE' OR kind = 'PUBLISH'),
	asset_id       TEXT    NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
	request_id     INTEGER REFERENCES requests (id) ON DELETE CASCADE,
	publication_id INTEGER REFERENCES publications (id) ON DELETE CASCADE,
	lane           INTEGER NOT NULL,                   -- whose turn it takes: a user or an admin; 0: a crowd's
	turn           INTEGER NOT NULL,                   -- order among the waiting: one job of each lane before the second of any
	due            INTEGER NOT NULL,                   -- not before; 0: at once
	attempt        INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0), -- attempts begun and not given back
	started        INTEGER,                            -- set while a worker has it
	sent           INTEGER,                            -- message_id of the part of a DELIVER that has arrived
	crashes        INTEGER NOT NULL DEFAULT 0,         -- times the process died while this job ran alone
	suspect        INTEGER NOT NULL DEFAULT 0 CHECK (suspect IN (0, 1)), -- ran when the process died: runs alone next time
	last_error     TEXT,
	created        INTEGER NOT NULL,
	crowd          INTEGER CHECK (crowd IS NULL OR request_id IS NULL AND started IS NULL), -- owed to the requests of the asset after this one, which get a row of their own when they are begun; NULL: to request_id
	CONSTRAINT started_is_an_attempt CHECK (started IS NULL OR attempt > 0),
	CONSTRAINT publish_has_publication CHECK ((kind = 'PUBLISH') = (publication_id IS NOT NULL)),
	CONSTRAINT message_has_request CHECK ((kind = 'ANNOUNCE' OR kind = 'DELIVER' OR kind = 'APOLOGISE') = (request_id IS NOT NULL OR crowd IS NOT NULL))
) STRICT;
CREATE TABLE attempts (
	id          INTEGER PRIMARY KEY,
	asset_id    TEXT    NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
	request_id  INTEGER REFERENCES requests (id) ON DELETE CASCADE,
	kind        TEXT    NOT NULL,                      -- of the job
	platform    TEXT,                                  -- of a PUBLISH
	attempt     INTEGER NOT NULL,                      -- 1, 2, 3, …; the same again after a wait or a crash
	started     INTEGER NOT NULL,
	finished    INTEGER NOT NULL,
	outcome     TEXT    NOT NULL CHECK (outcome = 'done' OR outcome = 'rescheduled' OR outcome = 'deferred' OR outcome = 'gave up' OR outcome = 'crashed'),
	error       TEXT,
	CONSTRAINT done_has_no_error CHECK ((outcome = 'done') = (error IS NULL))
) STRICT;
CREATE TABLE outage (
	id          INTEGER PRIMARY KEY CHECK (id = 1),    -- there is one, or none
	began       INTEGER NOT NULL,
	reason      TEXT    NOT NULL                       -- of the last failure: technical, for admins
) STRICT;
CREATE TABLE alerts (
	admin       INTEGER NOT NULL,                      -- Telegram id
	cause       TEXT    NOT NULL,                      -- outage, disk, channel, …
	at          INTEGER NOT NULL,                      -- when that was
	about       TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(about)), -- which troubles of it, as long as they last
	PRIMARY KEY (admin, cause)
) STRICT, WITHOUT ROWID;
CREATE TABLE inbox (
	update_id   INTEGER PRIMARY KEY,
	chat_id     INTEGER NOT NULL,                      -- handled in order within a chat; 0: belongs to none
	raw         TEXT,                                  -- JSON; erased when handled
	received    INTEGER NOT NULL,
	tries       INTEGER NOT NULL DEFAULT 0,            -- times handling it failed
	error       TEXT,                                  -- set aside: it cannot be handled
	held        INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1)), -- waited in a backup that was put back, and perhaps handled since: an admin decides
	CONSTRAINT set_aside_is_erased CHECK (error IS NULL OR raw IS NULL)
) STRICT;
CREATE TABLE links (
	hash        BLOB    PRIMARY KEY CHECK (length(hash) = 32), -- sha256 of the token
	admin       INTEGER NOT NULL,                      -- Telegram id; 0: the operator
	expires     INTEGER NOT NULL                       -- the row goes when the link is spent
) STRICT;
CREATE TABLE sessions (
	hash        BLOB    PRIMARY KEY CHECK (length(hash) = 32), -- sha256 of the cookie
	admin       INTEGER NOT NULL,
	created     INTEGER NOT NULL,
	seen        INTEGER NOT NULL                       -- ends 14 days after the last visit
) STRICT;
CREATE TABLE admins (
	id          INTEGER PRIMARY KEY CHECK (id > 0),    -- Telegram user id
	owner       INTEGER NOT NULL CHECK (owner IN (0, 1)), -- may do everything
	added       INTEGER NOT NULL
) STRICT;
CREATE TABLE audit (
	id          INTEGER PRIMARY KEY,
	at          INTEGER NOT NULL,
	admin       INTEGER,                               -- NULL: a user pressed
	user_id     INTEGER REFERENCES users (id) ON DELETE SET NULL,
	action      TEXT    NOT NULL,                      -- a fixed word: ask, retry, make, sign in, …
	asset_id    TEXT,                                  -- stays when the asset goes
	platform    TEXT,
	outcome     TEXT    NOT NULL DEFAULT ''
) STRICT;
INSERT INTO users VALUES (1, 'ru', 1790000000000, NULL, 1790000000000);
INSERT INTO users VALUES (2, 'ru', 1790000000000, NULL, 1790000000000);
INSERT INTO users VALUES (3, 'ru', 1790000000000, NULL, 1790000000000);
INSERT INTO users VALUES (4, 'ru', 1790000000000, NULL, 1790000000000);
INSERT INTO drafts VALUES ('BNQTRRICNZG3BITYCCQL2GA6RV', 1, 'Вера', 1790000000000);
INSERT INTO assets VALUES ('YJNOWGQEYIBNTUYMSO56MHPP7W', 'Маша', 'маша', 'new-year', 'ru', 'REQUEST', NULL, NULL, 'COMPLETED', 'YJNOWGQEYIBNTUYMSO56MHPP7W.mp4', 'YJNOWGQEYIBNTUYMSO56MHPP7W.jpg', 1000, 1000, 640, 360, 'file-id', NULL, '{}', 1790000000000, 1790000000000, 0, 1, 0, NULL);
INSERT INTO assets VALUES ('T3BERXIYESJH2EVOGMHCEGPLKV', 'Лев', 'лев', 'new-year', 'ru', 'REQUEST', NULL, NULL, 'FAILED', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'no such model', '{}', 1790000000000, 1790000000000, 1, 0, 0, NULL);
INSERT INTO assets VALUES ('MGYNDA3GSCNAQZT6X223NKGMJO', 'Ева', 'ева', 'new-year', 'ru', 'REQUEST', NULL, NULL, 'PENDING', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}', 1790000000000, NULL, 0, 0, 0, NULL);
INSERT INTO assets VALUES ('7OHDYOQLTLSRGK3ASYZ4ZJLAYW', 'Оля', 'оля', 'new-year', 'ru', 'REQUEST', NULL, NULL, 'PENDING', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}', 1790000000000, NULL, 0, 0, 0, NULL);
INSERT INTO tallies VALUES ('', '', 'COMPLETED', 1);
INSERT INTO tallies VALUES ('', '', 'FAILED', 1);
INSERT INTO tallies VALUES ('', '', 'PENDING', 2);
INSERT INTO tallies VALUES ('', '', 'PROCESSING', 0);
INSERT INTO tallies VALUES ('', 'NEEDS', 'FAILED', 1);
INSERT INTO tallies VALUES ('', 'YOUTUBE', 'COMPLETED', 1);
INSERT INTO tallies VALUES ('ева', '', 'PENDING', 1);
INSERT INTO tallies VALUES ('ева', '', 'PROCESSING', 0);
INSERT INTO tallies VALUES ('лев', '', 'FAILED', 1);
INSERT INTO tallies VALUES ('лев', '', 'PENDING', 0);
INSERT INTO tallies VALUES ('лев', '', 'PROCESSING', 0);
INSERT INTO tallies VALUES ('лев', 'NEEDS', 'FAILED', 1);
INSERT INTO tallies VALUES ('маша', '', 'COMPLETED', 1);
INSERT INTO tallies VALUES ('маша', '', 'PENDING', 0);
INSERT INTO tallies VALUES ('маша', '', 'PROCESSING', 0);
INSERT INTO tallies VALUES ('маша', 'YOUTUBE', 'COMPLETED', 1);
INSERT INTO tallies VALUES ('оля', '', 'PENDING', 1);
INSERT INTO tails VALUES ('ева', 'ева');
INSERT INTO tails VALUES ('лев', 'лев');
INSERT INTO tails VALUES ('маша', 'маша');
INSERT INTO tails VALUES ('оля', 'оля');
INSERT INTO requests VALUES (1, 1, 'YJNOWGQEYIBNTUYMSO56MHPP7W', 1, 'COMPLETED', 11, 12, 1790000000000, 1790000000000, 0);
INSERT INTO requests VALUES (2, 2, 'YJNOWGQEYIBNTUYMSO56MHPP7W', 2, 'PROCESSING', NULL, NULL, 1790000000000, NULL, 0);
INSERT INTO requests VALUES (3, 3, 'T3BERXIYESJH2EVOGMHCEGPLKV', 3, 'FAILED', NULL, NULL, 1790000000000, 1790000000000, 0);
INSERT INTO requests VALUES (4, 1, 'MGYNDA3GSCNAQZT6X223NKGMJO', 1, 'PENDING', NULL, NULL, 1790000000000, NULL, 0);
INSERT INTO requests VALUES (5, 4, '7OHDYOQLTLSRGK3ASYZ4ZJLAYW', 4, 'PENDING', NULL, NULL, 1790000000000, NULL, 0);
INSERT INTO sqlite_sequence VALUES ('jobs', 14);
INSERT INTO sqlite_sequence VALUES ('requests', 5);
INSERT INTO channels VALUES (1, 'YOUTUBE', 'UC1', 'Greetings', 'CONNECTED', X'00', NULL, 8, 1, 1, 0, '');
INSERT INTO uploads VALUES (1);
INSERT INTO publications VALUES (1, 'YJNOWGQEYIBNTUYMSO56MHPP7W', 'YOUTUBE', 1, 8, 'PENDING', '', '{}', NULL, NULL, NULL, 0, NULL, 0, NULL, NULL, NULL, NULL, 1, NULL, NULL);
INSERT INTO jobs VALUES (4, 'DELIVER', 'YJNOWGQEYIBNTUYMSO56MHPP7W', 1, NULL, 1, 1, 0, 1, 1790000000000, 12, 0, 0, NULL, 1790000000000, NULL);
INSERT INTO jobs VALUES (5, 'DELIVER', 'YJNOWGQEYIBNTUYMSO56MHPP7W', 2, NULL, 2, 1, 0, 0, NULL, NULL, 0, 0, NULL, 1790000000000, NULL);
INSERT INTO jobs VALUES (8, 'APOLOGISE', 'T3BERXIYESJH2EVOGMHCEGPLKV', 3, NULL, 3, 1, 0, 0, NULL, NULL, 0, 0, NULL, 1790000000000, NULL);
INSERT INTO jobs VALUES (9, 'RENDER', 'MGYNDA3GSCNAQZT6X223NKGMJO', NULL, NULL, 1, 1, 1790000001000, 1, NULL, NULL, 0, 0, 'not yet', 1790000000000, NULL);
INSERT INTO jobs VALUES (10, 'ANNOUNCE', 'MGYNDA3GSCNAQZT6X223NKGMJO', 4, NULL, 1, 1, 0, 0, NULL, NULL, 0, 0, NULL, 1790000000000, NULL);
INSERT INTO jobs VALUES (11, 'RENDER', '7OHDYOQLTLSRGK3ASYZ4ZJLAYW', NULL, NULL, 4, 1, 0, 0, NULL, NULL, 0, 0, NULL, 1790000000000, NULL);
INSERT INTO jobs VALUES (12, 'ANNOUNCE', '7OHDYOQLTLSRGK3ASYZ4ZJLAYW', 5, NULL, 4, 1, 0, 0, NULL, NULL, 0, 0, NULL, 1790000000000, NULL);
INSERT INTO jobs VALUES (13, 'PUBLISH', 'YJNOWGQEYIBNTUYMSO56MHPP7W', NULL, 1, 8, 1, 0, 0, NULL, NULL, 0, 0, NULL, 1, NULL);
INSERT INTO jobs VALUES (14, 'APOLOGISE', 'T3BERXIYESJH2EVOGMHCEGPLKV', NULL, NULL, 0, 1, 0, 0, NULL, NULL, 0, 0, NULL, 1, 0);
INSERT INTO attempts VALUES (1, 'YJNOWGQEYIBNTUYMSO56MHPP7W', NULL, 'RENDER', NULL, 1, 1790000000000, 1790000000000, 'done', NULL);
INSERT INTO attempts VALUES (2, 'T3BERXIYESJH2EVOGMHCEGPLKV', NULL, 'RENDER', NULL, 1, 1790000000000, 1790000000000, 'gave up', 'no such model');
INSERT INTO attempts VALUES (3, 'MGYNDA3GSCNAQZT6X223NKGMJO', NULL, 'RENDER', NULL, 1, 1790000000000, 1790000000000, 'rescheduled', 'not yet');
INSERT INTO outage VALUES (1, 1, 'no such model');
INSERT INTO inbox VALUES (7, 1, NULL, 1790000000000, 0, NULL, 0);
INSERT INTO inbox VALUES (8, 2, '{"update_id":8}', 1790000000000, 0, NULL, 0);
INSERT INTO links VALUES (X'0000000000000000000000000000000000000000000000000000000000000000', 8, 1);
INSERT INTO sessions VALUES (X'0000000000000000000000000000000000000000000000000000000000000000', 8, 1, 1);
INSERT INTO audit VALUES (1, 1, 8, NULL, 'sign in', NULL, NULL, '');
CREATE INDEX users_by_seen ON users (seen);
CREATE INDEX drafts_by_user ON drafts (user_id);
CREATE UNIQUE INDEX assets_one_live_per_key ON assets (name_key, template, lang)
	WHERE origin = 'REQUEST' AND status IN ('PENDING', 'PROCESSING');
CREATE UNIQUE INDEX assets_one_successor ON assets (retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX assets_by_key ON assets (name_key, template, lang, finished);
CREATE INDEX assets_by_name ON assets (name_key, status, created DESC, id DESC);
CREATE INDEX assets_newest ON assets (created DESC, id DESC);
CREATE INDEX assets_newest_by_status ON assets (status, created DESC, id DESC);
CREATE INDEX assets_by_name_on_youtube ON assets (name_key, status, created DESC, id DESC) WHERE youtube = 1;
CREATE INDEX assets_newest_on_youtube ON assets (created DESC, id DESC) WHERE youtube = 1;
CREATE INDEX assets_newest_by_status_on_youtube ON assets (status, created DESC, id DESC) WHERE youtube = 1;
CREATE INDEX assets_by_name_on_rumble ON assets (name_key, status, created DESC, id DESC) WHERE rumble = 1;
CREATE INDEX assets_newest_on_rumble ON assets (created DESC, id DESC) WHERE rumble = 1;
CREATE INDEX assets_newest_by_status_on_rumble ON assets (status, created DESC, id DESC) WHERE rumble = 1;
CREATE INDEX assets_needing_by_key ON assets (name_key, template, lang) WHERE needs = 1;
CREATE INDEX assets_needing_by_time ON assets (finished, id) WHERE needs = 1;
CREATE INDEX assets_needing_by_creator ON assets (creator, name_key) WHERE needs = 1;
CREATE INDEX assets_unwanted ON assets (unwanted, id) WHERE unwanted IS NOT NULL;
CREATE INDEX assets_by_age ON assets (finished) WHERE creator IS NULL AND youtube = 0 AND rumble = 0 AND finished IS NOT NULL;
CREATE TRIGGER assets_finished_is_final BEFORE UPDATE OF status ON assets
	WHEN old.status IN ('COMPLETED', 'FAILED') AND new.status <> old.status
BEGIN
	SELECT raise(ABORT, 'assets_finished_is_final');
END;
CREATE INDEX tails_by_key ON tails (name_key);
CREATE TRIGGER assets_tally_insert AFTER INSERT ON assets
BEGIN
	INSERT INTO tails SELECT DISTINCT substr(replace(new.name_key, '-', ' '), at.key + 1), new.name_key
		FROM json_each('[0' || replace(hex(zeroblob(length(new.name_key) - 1)), '00', ',0') || ']') at -- a row for each letter
		WHERE (at.key = 0 OR substr(new.name_key, at.key, 1) IN (' ', '-'))
			AND NOT EXISTS (SELECT 1 FROM tallies WHERE name_key = new.name_key);
	INSERT INTO tallies VALUES ('', '', new.status, 1), (new.name_key, '', new.status, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER assets_tally_status AFTER UPDATE OF status ON assets WHEN new.status <> old.status
BEGIN
	INSERT INTO tallies VALUES ('', '', new.status, 1), (new.name_key, '', new.status, 1) ON CONFLICT DO UPDATE SET n = n + 1;
	UPDATE tallies SET n = n - 1 WHERE name_key IN ('', old.name_key) AND part = '' AND status = old.status;
END;
CREATE TRIGGER assets_tally_parts AFTER UPDATE OF status, needs, youtube, rumble ON assets
	WHEN old.needs OR old.youtube OR old.rumble OR new.needs OR new.youtube OR new.rumble
BEGIN
	INSERT INTO tallies SELECT k.name_key, p.part, new.status, 1 FROM (SELECT '' name_key UNION ALL SELECT new.name_key) k,
			(SELECT 'NEEDS' part WHERE new.needs UNION ALL SELECT 'YOUTUBE' WHERE new.youtube UNION ALL SELECT 'RUMBLE' WHERE new.rumble) p
		WHERE true ON CONFLICT DO UPDATE SET n = n + 1;
	UPDATE tallies SET n = n - 1 WHERE name_key IN ('', old.name_key) AND status = old.status
		AND part IN (iif(old.needs, 'NEEDS', NULL), iif(old.youtube, 'YOUTUBE', NULL), iif(old.rumble, 'RUMBLE', NULL));
END;
CREATE TRIGGER assets_tally_delete AFTER DELETE ON assets
BEGIN
	UPDATE tallies SET n = n - 1 WHERE name_key IN ('', old.name_key) AND status = old.status
		AND part IN ('', iif(old.needs, 'NEEDS', ''), iif(old.youtube, 'YOUTUBE', ''), iif(old.rumble, 'RUMBLE', ''));
	DELETE FROM tails WHERE name_key = old.name_key -- a name nobody has is forgotten
		AND NOT EXISTS (SELECT 1 FROM tallies WHERE name_key = old.name_key AND n > 0);
	DELETE FROM tallies WHERE name_key = old.name_key
		AND NOT EXISTS (SELECT 1 FROM tallies WHERE name_key = old.name_key AND n > 0);
END;
CREATE TRIGGER assets_name_is_final BEFORE UPDATE OF name_key ON assets WHEN new.name_key <> old.name_key
BEGIN
	SELECT raise(ABORT, 'assets_name_is_final');
END;
CREATE INDEX requests_by_asset ON requests (asset_id);
CREATE INDEX requests_held ON requests (user_id) WHERE held = 1;
CREATE INDEX requests_failed ON requests (user_id) WHERE status = 'FAILED';
CREATE INDEX requests_live ON requests (user_id) WHERE status IN ('PENDING', 'PROCESSING');
CREATE TRIGGER requests_finished_is_final BEFORE UPDATE OF status ON requests
	WHEN old.status IN ('COMPLETED', 'FAILED') AND new.status <> old.status
BEGIN
	SELECT raise(ABORT, 'requests_finished_is_final');
END;
CREATE VIEW unserved AS
	SELECT a.*, r.id request, r.user_id, r.chat_id FROM requests r JOIN assets a ON a.id = r.asset_id
	WHERE r.status = 'FAILED' AND r.held = 0 AND NOT EXISTS (
		SELECT 1 FROM requests later CROSS JOIN assets b ON b.id = later.asset_id
		WHERE later.user_id = r.user_id AND later.id > r.id
			AND b.name_key = a.name_key AND b.template = a.template AND b.lang = a.lang);
CREATE VIEW settled AS
	SELECT a.id, a.name_key, a.template, a.lang FROM assets a
	WHERE a.needs = 1 AND (EXISTS (SELECT 1 FROM assets n WHERE n.retry_of = a.id)
		OR EXISTS (
			SELECT 1 FROM assets b WHERE b.name_key = a.name_key AND b.template = a.template AND b.lang = a.lang
				AND b.origin = 'REQUEST' AND b.status IN ('PENDING', 'PROCESSING')
			UNION ALL SELECT 1 FROM assets b WHERE b.name_key = a.name_key AND b.template = a.template AND b.lang = a.lang
				AND b.origin = 'REQUEST' AND b.status = 'COMPLETED' AND b.finished >= a.finished)
		AND NOT EXISTS (
			WITH RECURSIVE line (id) AS (
				SELECT a.id UNION ALL SELECT e.retry_of FROM line JOIN assets e ON e.id = line.id WHERE e.retry_of IS NOT NULL)
			SELECT 1 FROM line CROSS JOIN unserved u ON u.id = line.id));
CREATE TRIGGER assets_settle_insert AFTER INSERT ON assets
BEGIN
	UPDATE assets SET needs = 0 WHERE id IN (SELECT s.id FROM settled s
		WHERE s.name_key = new.name_key AND s.template = new.template AND s.lang = new.lang);
END;
CREATE TRIGGER assets_settle_delete AFTER DELETE ON assets
BEGIN
	UPDATE assets SET needs = 0 WHERE id IN (SELECT s.id FROM settled s
		WHERE s.name_key = old.name_key AND s.template = old.template AND s.lang = old.lang);
END;
CREATE TRIGGER requests_settle_insert AFTER INSERT ON requests
BEGIN
	UPDATE assets SET needs = 0 WHERE id IN (SELECT s.id FROM assets a CROSS JOIN settled s
		ON s.name_key = a.name_key AND s.template = a.template AND s.lang = a.lang WHERE a.id = new.asset_id);
END;
CREATE TRIGGER requests_settle_delete AFTER DELETE ON requests
BEGIN
	UPDATE assets SET needs = 0 WHERE id IN (SELECT s.id FROM assets a CROSS JOIN settled s
		ON s.name_key = a.name_key AND s.template = a.template AND s.lang = a.lang WHERE a.id = old.asset_id);
END;
CREATE INDEX uploads_by_time ON uploads (at);
CREATE INDEX publications_by_channel ON publications (channel_id, status) WHERE channel_id IS NOT NULL;
CREATE INDEX publications_by_status ON publications (platform, status);
CREATE INDEX publications_failed ON publications (completed, id, step, platform, creator, channel_id) WHERE status = 'FAILED';
CREATE TRIGGER publications_place_insert AFTER INSERT ON publications
BEGIN
	UPDATE assets SET youtube = youtube OR new.platform = 'YOUTUBE', rumble = rumble OR new.platform = 'RUMBLE' WHERE id = new.asset_id;
END;
CREATE TRIGGER publications_place_delete AFTER DELETE ON publications
BEGIN
	UPDATE assets SET youtube = youtube AND old.platform <> 'YOUTUBE', rumble = rumble AND old.platform <> 'RUMBLE' WHERE id = old.asset_id;
END;
CREATE TRIGGER publications_place_is_final BEFORE UPDATE OF asset_id, platform ON publications
	WHEN (new.asset_id, new.platform) <> (old.asset_id, old.platform)
BEGIN
	SELECT raise(ABORT, 'publications_place_is_final');
END;
CREATE INDEX jobs_waiting ON jobs (kind, turn) WHERE started IS NULL;
CREATE INDEX jobs_by_lane ON jobs (kind, lane, turn);
CREATE INDEX jobs_due ON jobs (due) WHERE started IS NULL AND due > 0;
CREATE INDEX jobs_by_asset ON jobs (asset_id);
CREATE UNIQUE INDEX jobs_one_render ON jobs (asset_id) WHERE request_id IS NULL AND publication_id IS NULL;
CREATE UNIQUE INDEX jobs_one_per_request ON jobs (request_id, kind) WHERE request_id IS NOT NULL;
CREATE UNIQUE INDEX jobs_one_per_publication ON jobs (publication_id) WHERE publication_id IS NOT NULL;
CREATE VIEW crowds AS
	SELECT c.id job, c.kind, c.turn, c.created, r.id request_id, r.user_id, r.chat_id, r.status, r.progress_id
	FROM jobs c JOIN requests r ON r.asset_id = c.asset_id AND r.id > c.crowd
	WHERE c.request_id IS NULL AND c.publication_id IS NULL
		AND r.held = 0 AND r.answer_id IS NULL AND r.status = iif(c.kind = 'DELIVER', 'PROCESSING', 'FAILED')
		AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.request_id = r.id AND j.kind = c.kind);
CREATE INDEX attempts_by_asset ON attempts (asset_id, id);
CREATE INDEX attempts_by_request ON attempts (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX attempts_tried_again ON attempts (finished DESC, id DESC)
	WHERE kind IN ('RENDER', 'PUBLISH') AND outcome IN ('rescheduled', 'gave up', 'crashed');
CREATE INDEX inbox_waiting ON inbox (update_id) WHERE raw IS NOT NULL;
CREATE INDEX inbox_held ON inbox (chat_id) WHERE held = 1;
CREATE INDEX inbox_received ON inbox (received);
CREATE INDEX sessions_by_admin ON sessions (admin);
CREATE INDEX audit_newest ON audit (at DESC, id DESC);
CREATE INDEX audit_by_asset ON audit (asset_id, at DESC, id DESC) WHERE asset_id IS NOT NULL;
CREATE INDEX audit_by_user ON audit (user_id, at) WHERE user_id IS NOT NULL;
