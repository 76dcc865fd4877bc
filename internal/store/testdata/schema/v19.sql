PRAGMA user_version = 19;
CREATE TABLE users (
	id          INTEGER PRIMARY KEY,                   -- Telegram user id
	lang        TEXT    NOT NULL CHECK (lang <> ''),   -- BCP 47; picks the message file
	created     INTEGER NOT NULL,
	unreachable INTEGER,                               -- since when messages are refused (blocked, deactivated); NULL: not
	seen        INTEGER NOT NULL DEFAULT 0,            -- wrote or pressed last, to the day
	source      TEXT                                   -- tag of the link that led here first: t.me/bot?start=tag
) STRICT;
CREATE TABLE drafts (
	id          TEXT    PRIMARY KEY,                   -- random
	user_id     INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	name        TEXT    NOT NULL,
	created     INTEGER NOT NULL                       -- deleted a day later
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
	needs_attention INTEGER NOT NULL DEFAULT 0 CHECK (needs_attention IN (0, 1)), -- an admin; set when it fails, cleared permanently once the view resolved has it
	published   INTEGER NOT NULL DEFAULT 0 CHECK (published IN (0, 1)), -- has a publication
	delete_requested_at INTEGER,                       -- since when it should be deleted: everyone who asked for it has deleted their data; it may still be on a platform
	error_code  TEXT,                                  -- stable code of the error; NULL: it has none, or is older than codes
	advance     INTEGER CHECK (advance IN (0, 1)),     -- made in advance: 1: goes to everybody who asks, however old; 0: withdrawn, goes to nobody else; NULL: it was not
	note        TEXT    CHECK (note IN ('OTHER_VOICE', 'MUSIC_ONLY')), -- how the name is spoken, if not by the voice that is set
	codec       TEXT,                                  -- of the pictures, as ffmpeg calls it; NULL: older than this column
	replaced    INTEGER NOT NULL DEFAULT 0 CHECK (replaced IN (0, 1)), -- failed, and another try was made of it: the library shows that one
	undelivered INTEGER,                               -- since when a message about it has been given up, by triggers; NULL: none has
	CONSTRAINT finished_has_time CHECK ((status IN ('COMPLETED', 'FAILED')) = (finished IS NOT NULL)),
	CONSTRAINT completed_has_file CHECK ((status = 'COMPLETED') = (file IS NOT NULL)),
	CONSTRAINT failed_has_error CHECK ((status = 'FAILED') = (error IS NOT NULL)),
	CONSTRAINT only_a_failure_needs CHECK (needs_attention = 0 OR status = 'FAILED'),
	CONSTRAINT upload_has_creator CHECK (origin = 'REQUEST' OR creator IS NOT NULL)
) STRICT;
CREATE TABLE name_counts (
	name_key    TEXT    NOT NULL,
	part        TEXT    NOT NULL,                      -- '': all of them; NEEDS: those that need an admin; REPLACED: those that were tried again; a platform: those that are there
	status      TEXT    NOT NULL,
	n           INTEGER NOT NULL CHECK (n >= 0),
	PRIMARY KEY (name_key, part, status)
) STRICT, WITHOUT ROWID;
CREATE TABLE name_suffixes (
	suffix      TEXT    NOT NULL,                      -- with spaces for hyphens
	name_key    TEXT    NOT NULL,
	PRIMARY KEY (suffix, name_key)
) STRICT, WITHOUT ROWID;
CREATE TABLE advance (
	id          INTEGER PRIMARY KEY,
	name        TEXT    NOT NULL CHECK (name <> ''),
	name_key    TEXT    NOT NULL CHECK (name_key <> ''),
	template    TEXT    NOT NULL,
	lang        TEXT    NOT NULL,
	creator     INTEGER NOT NULL,                      -- admin who wants it (Telegram id; 0: the operator)
	created     INTEGER NOT NULL,
	CONSTRAINT one_per_video UNIQUE (name_key, template, lang)
) STRICT;
CREATE TABLE editions (
	template    TEXT    PRIMARY KEY,
	edition     TEXT    NOT NULL                       -- checksum
) STRICT, WITHOUT ROWID;
CREATE TABLE offers (
	template    TEXT    PRIMARY KEY,                   -- without a version: the current one is offered
	position    INTEGER NOT NULL UNIQUE
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
	restore_hold INTEGER NOT NULL DEFAULT 0 CHECK (restore_hold BETWEEN 0 AND 2), -- owed in a backup that was put back, and perhaps sent since: 1: an admin decides; 2: has decided that nothing is sent
	undelivered INTEGER,                               -- since when its message has been given up: it is owed, but no job exists; NULL: it has not
	undelivered_code TEXT,                             -- of the error that ended the last try
	CONSTRAINT one_per_user_and_asset UNIQUE (user_id, asset_id), -- a second press or message is not a second request
	CONSTRAINT finished_has_time CHECK ((status IN ('COMPLETED', 'FAILED')) = (finished IS NOT NULL))
) STRICT;
CREATE TABLE channels (
	id          INTEGER PRIMARY KEY,
	platform    TEXT    NOT NULL CHECK (platform <> '' AND platform = upper(platform)), -- a row of Places in internal/publish
	external_id TEXT    NOT NULL CHECK (external_id <> ''), -- the platform's
	title       TEXT    NOT NULL,
	state       TEXT    NOT NULL CHECK (state IN ('CONNECTED', 'ENDED', 'DISCONNECTED')), -- ENDED: the platform refuses the token
	token       BLOB,                                  -- sealed; empty: the platform needs none
	error       TEXT,                                  -- why access has ended
	creator     INTEGER NOT NULL,                      -- admin who connected it last
	connected   INTEGER NOT NULL,                      -- when that was
	checked     INTEGER NOT NULL,                      -- when it last worked
	paused_until INTEGER NOT NULL DEFAULT 0,           -- until then no upload begins
	paused_for  TEXT    NOT NULL DEFAULT '' CHECK (paused_for IN ('', 'quota', 'limit')), -- of the whole app, of the channel
	ends        INTEGER,                               -- when the platform will end the access; NULL: it did not say
	defaults    TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(defaults)), -- what the form to publish there begins with
	CONSTRAINT one_row_per_channel UNIQUE (platform, external_id),
	CONSTRAINT disconnected_has_no_token CHECK ((state = 'DISCONNECTED') = (token IS NULL)),
	CONSTRAINT ended_has_error CHECK ((state = 'ENDED') = (error IS NOT NULL))
) STRICT;
CREATE TABLE uploads (
	at          INTEGER NOT NULL                       -- deleted two days later
) STRICT;
CREATE TABLE publications (
	id          INTEGER PRIMARY KEY,
	asset_id    TEXT    NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
	platform    TEXT    NOT NULL CHECK (platform <> '' AND platform = upper(platform)),
	channel_id  INTEGER REFERENCES channels (id),      -- NULL: the platform is not connected by channels
	creator     INTEGER NOT NULL,                      -- admin (Telegram id; 0: the operator); only they or an owner may retry
	status      TEXT    NOT NULL DEFAULT 'PENDING' CHECK (status = 'PENDING' OR status = 'PROCESSING' OR status = 'COMPLETED' OR status = 'FAILED'),
	step        TEXT    NOT NULL DEFAULT '' CHECK (step IN ('', -- finer than the status, for people
		'scheduled', 'quota', 'limit', 'manual', -- what a PENDING one waits for; a COMPLETED one that was done by hand
		'uploading', 'processing',               -- how far a PROCESSING one is; a PENDING one with 'uploading' goes on from there
		'reconnect', 'edit', 'account', 'rejected', 'unknown')), -- what a FAILED one needs
	metadata    TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(metadata)), -- title, description, … as chosen
	publish_at  INTEGER,                               -- when it is to be public; NULL: at once
	session_uri TEXT,                                  -- of a resumable upload: a bearer secret, so it is sealed with the key of the tokens
	session_at  INTEGER,                               -- when that began
	sent        INTEGER NOT NULL DEFAULT 0,            -- bytes the platform has confirmed
	uploaded    INTEGER,                               -- when the platform had all of it
	extras_done INTEGER NOT NULL DEFAULT 0 CHECK (extras_done IN (0, 1)), -- picture and playlist have been set, as far as that goes
	remote_id   TEXT,                                  -- on the platform, once it is there
	remote_url  TEXT,
	error       TEXT,
	warning     TEXT,                                  -- published, but something smaller did not work
	created     INTEGER NOT NULL,
	started     INTEGER,
	completed   INTEGER,
	error_code  TEXT,                                  -- stable code of the error; NULL: it has none, or is older than codes
	look_at     INTEGER,                               -- when somebody should look at the platform; NULL: no more
	standing    TEXT CHECK (standing IN ('private', 'gone', 'failed', 'rejected', 'taken down')), -- found there, and not as it should be
	standing_at INTEGER,                               -- when that was found
	accepted    TEXT,                                  -- the standing that an admin has accepted
	asset_created INTEGER,                             -- when its asset was, by a trigger: the library lists what is on a platform by it
	looked_at   INTEGER,                               -- when somebody last looked at the platform; NULL: nobody has
	changed_there TEXT CHECK (changed_there IS NULL OR json_valid(changed_there)), -- what somebody changed on the platform since it was sent, by field; NULL: nothing
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
	fairness_key   INTEGER NOT NULL,                   -- whom it counts for: a user or an admin; 0: a fan-out
	position       INTEGER NOT NULL,                   -- order among the waiting: one job of each fairness key before the second of any
	due            INTEGER NOT NULL,                   -- not before; 0: at once
	attempt        INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0), -- attempts begun and not given back
	started        INTEGER,                            -- set while a worker has it
	sent           INTEGER,                            -- message_id of the part of a DELIVER that has arrived
	crashes        INTEGER NOT NULL DEFAULT 0,         -- times the process died while this job ran alone
	quarantined    INTEGER NOT NULL DEFAULT 0 CHECK (quarantined IN (0, 1)), -- ran when the process died: runs alone next time
	last_error     TEXT,
	created        INTEGER NOT NULL,
	fan_out        INTEGER CHECK (fan_out IS NULL OR request_id IS NULL AND started IS NULL), -- pending for the requests of the asset after this one, which get a row of their own when they are begun; NULL: for request_id
	waiting_since INTEGER,                             -- when the first of the waits in a row began; cleared when an attempt fails for its own reason
	waits          INTEGER NOT NULL DEFAULT 0,         -- how many those are
	asked          INTEGER NOT NULL DEFAULT 0,         -- ms from the moment when due was set to it; 0: due is a time that somebody named
	copies         INTEGER NOT NULL DEFAULT 0,         -- attempts of a message that may have sent it although they failed
	CONSTRAINT started_is_an_attempt CHECK (started IS NULL OR attempt > 0),
	CONSTRAINT publish_has_publication CHECK ((kind = 'PUBLISH') = (publication_id IS NOT NULL)),
	CONSTRAINT message_has_request CHECK ((kind = 'ANNOUNCE' OR kind = 'DELIVER' OR kind = 'APOLOGISE') = (request_id IS NOT NULL OR fan_out IS NOT NULL))
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
	outcome     TEXT    NOT NULL CHECK (outcome = 'done' OR outcome = 'rescheduled' OR outcome = 'deferred' OR outcome = 'gave_up' OR outcome = 'crashed'),
	error       TEXT,
	error_code  TEXT,                                  -- stable code of the error
	CONSTRAINT done_has_no_error CHECK ((outcome = 'done') = (error IS NULL))
) STRICT;
CREATE TABLE outage (
	id          INTEGER PRIMARY KEY CHECK (id = 1),    -- there is one, or none
	began       INTEGER NOT NULL,
	reason      TEXT    NOT NULL                       -- of the last failure: technical, for admins
) STRICT;
CREATE TABLE menus (
	chat        INTEGER NOT NULL,                      -- of an admin; 0: all other chats
	lang        TEXT    NOT NULL,                      -- '': all others
	hash        TEXT    NOT NULL,                      -- of the bot and the menu
	PRIMARY KEY (chat, lang)
) STRICT, WITHOUT ROWID;
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
	raw         TEXT,                                  -- JSON: the update or, when its effect is here, what is still to be said; erased when handled
	received    INTEGER NOT NULL,
	tries       INTEGER NOT NULL DEFAULT 0,            -- times handling it failed
	error       TEXT,                                  -- code of why it could not be handled or answered, or why it was erased
	restore_hold INTEGER NOT NULL DEFAULT 0 CHECK (restore_hold IN (0, 1)), -- waited in a backup that was put back, and perhaps handled since: an admin decides
	set_aside   INTEGER,                               -- since when every try has failed, until an owner has it tried again; NULL: it is not
	CONSTRAINT set_aside_has_content_and_reason CHECK (set_aside IS NULL OR raw IS NOT NULL AND error IS NOT NULL)
) STRICT;
CREATE TABLE bot (
	id          INTEGER PRIMARY KEY CHECK (id = 1),    -- there is one, or none yet
	telegram_id INTEGER NOT NULL                       -- the number before the colon of its token
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
	added       INTEGER NOT NULL,
	origin      TEXT    NOT NULL DEFAULT 'command' CHECK (origin IN ('command', 'page', 'invitation')) -- how they were added
) STRICT;
CREATE TABLE setup (
	id          INTEGER PRIMARY KEY CHECK (id = 1),    -- one is under way, or none is
	code        BLOB    CHECK (length(code) = 32),     -- SHA-256 of the code with which somebody becomes the owner; NULL: none works
	expires     INTEGER NOT NULL DEFAULT 0,            -- when the code ends
	failures    INTEGER NOT NULL DEFAULT 0,            -- unused since version 18: wrong codes
	test        TEXT                                   -- id of the test video; NULL: none was asked for
) STRICT;
CREATE TABLE invitations (
	id          INTEGER PRIMARY KEY,
	hash        BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32), -- sha256 of the code
	owner       INTEGER NOT NULL CHECK (owner IN (0, 1)), -- who opens it becomes an owner
	inviter     INTEGER NOT NULL,                      -- Telegram id; 0: the operator
	expires     INTEGER NOT NULL                       -- the row goes when the link is opened
) STRICT;
CREATE TABLE tokens (
	id          INTEGER PRIMARY KEY,
	hash        BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32), -- sha256 of the token
	admin       INTEGER NOT NULL,                      -- whose it is: Telegram id; 0: the operator
	title       TEXT    NOT NULL CHECK (title <> ''),
	scope       TEXT    NOT NULL CHECK (scope IN ('read', 'make', 'publish', 'everything')),
	created     INTEGER NOT NULL,
	used        INTEGER,                               -- when last, written once an hour
	expires     INTEGER                                -- NULL: never
) STRICT;
CREATE TABLE ledger (
	person      BLOB    NOT NULL CHECK (length(person) = 32),
	at          INTEGER NOT NULL                       -- deleted a day later
) STRICT;
CREATE TABLE ledger_keys (
	day         INTEGER PRIMARY KEY,                   -- when it began, UTC; deleted two days later
	key         BLOB    NOT NULL CHECK (length(key) = 32) -- random
) STRICT;
CREATE TABLE bans (
	chat_id     INTEGER PRIMARY KEY CHECK (chat_id <> 0), -- Telegram id; below 0: a group
	since       INTEGER NOT NULL
) STRICT;
CREATE TABLE pause (
	id          INTEGER PRIMARY KEY CHECK (id = 1),    -- there is one, and none are taken, or there is none
	since       INTEGER NOT NULL
) STRICT;
CREATE TABLE texts (
	lang        TEXT    NOT NULL,
	key         TEXT    NOT NULL,                      -- of the message file
	form        TEXT    NOT NULL,                      -- of the plural; other: there is only one
	text        TEXT    NOT NULL CHECK (text <> ''),
	changed     INTEGER NOT NULL,
	admin       INTEGER NOT NULL,                      -- who changed it (Telegram id; 0: the operator)
	PRIMARY KEY (lang, key, form)
) STRICT, WITHOUT ROWID;
CREATE TABLE consents (
	user_id     INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	asked       INTEGER NOT NULL,                      -- when the bot asked, or they came of their own accord
	answer      TEXT    CHECK (answer IS NULL OR answer = 'agreed' OR answer = 'declined' OR answer = 'ended'), -- ended: had agreed, and cannot be written to any more; NULL: none yet
	answered    INTEGER,
	CONSTRAINT answer_has_time CHECK ((answer IS NULL) = (answered IS NULL))
) STRICT;
CREATE TABLE announcements (
	id          INTEGER PRIMARY KEY AUTOINCREMENT,     -- never used again: an old form must not start another one
	texts       TEXT    NOT NULL CHECK (json_valid(texts)), -- by language; '': for those without one of their own
	status      TEXT    NOT NULL DEFAULT 'draft' CHECK (status = 'draft' OR status = 'sending' OR status = 'paused' OR status = 'done'),
	creator     INTEGER NOT NULL,                      -- owner who wrote it (Telegram id; 0: the operator)
	created     INTEGER NOT NULL,
	changed     INTEGER NOT NULL,                      -- when the texts were, last
	started     INTEGER,                               -- only who had agreed by then gets it
	finished    INTEGER,
	people      INTEGER NOT NULL DEFAULT 0,            -- how many had
	reached     INTEGER NOT NULL DEFAULT 0,            -- user id: people up to this one have a row in announced, or don't get it
	delivered   INTEGER NOT NULL DEFAULT 0,            -- people; these three outlive the rows in announced
	blocked     INTEGER NOT NULL DEFAULT 0,
	failed      INTEGER NOT NULL DEFAULT 0,
	trouble     TEXT,                                  -- why the program has paused it: code of an error, or restored
	CONSTRAINT only_a_draft_has_not_started CHECK ((status = 'draft') = (started IS NULL)),
	CONSTRAINT done_has_time CHECK ((status = 'done') = (finished IS NOT NULL)),
	CONSTRAINT only_a_paused_one_has_trouble CHECK (trouble IS NULL OR status = 'paused')
) STRICT;
CREATE TABLE announced (
	id          INTEGER PRIMARY KEY,
	announcement_id INTEGER NOT NULL REFERENCES announcements (id) ON DELETE CASCADE,
	user_id     INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	outcome     TEXT    NOT NULL CHECK (outcome = 'delivered' OR outcome = 'waiting' OR outcome = 'blocked' OR outcome = 'failed'),
	at          INTEGER NOT NULL,                      -- when that was; waiting: when it is tried again
	tries       INTEGER NOT NULL DEFAULT 1,
	code        TEXT,                                  -- of the error, if it failed
	CONSTRAINT one_copy_for_each UNIQUE (announcement_id, user_id)
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
CREATE TABLE admin_names (
	id          INTEGER PRIMARY KEY,                   -- Telegram user id
	name        TEXT    NOT NULL,                      -- the first name
	username    TEXT    NOT NULL DEFAULT ''            -- without the @; '': none
) STRICT;
CREATE TABLE bin (
	id          TEXT    PRIMARY KEY,                   -- of the asset
	at          INTEGER NOT NULL,                      -- when it was deleted
	admin       INTEGER NOT NULL,                      -- who deleted it
	creator     INTEGER,                               -- of the asset
	name        TEXT    NOT NULL,
	file        TEXT,                                  -- keys in the media store: they go with this row
	thumb       TEXT,
	content     TEXT    NOT NULL CHECK (json_valid(content)) -- its rows, by table
) STRICT;
CREATE TABLE settings (
	key         TEXT    NOT NULL PRIMARY KEY,          -- of config.toml, such as limits.open
	value       TEXT,                                  -- as TOML writes it
	sealed      BLOB,                                  -- a secret, encrypted; opens with the key in the data folder
	changed     INTEGER NOT NULL,
	admin       INTEGER NOT NULL,                      -- who changed it; 0: the operator
	CONSTRAINT settings_open_or_sealed CHECK ((value IS NULL) <> (sealed IS NULL))
) STRICT, WITHOUT ROWID;
CREATE TABLE totals (
	day         INTEGER NOT NULL,                      -- days since 1970, UTC
	what        TEXT    NOT NULL,                      -- asked, made, failed, waited, new, source, returning, blocked, published
	template    TEXT    NOT NULL DEFAULT '',
	detail      TEXT    NOT NULL DEFAULT '',           -- of failed: the code; waited: at most so many seconds; source: the tag of the link; published: the platform
	n           INTEGER NOT NULL,
	PRIMARY KEY (day, what, template, detail)
) STRICT, WITHOUT ROWID;
INSERT INTO users VALUES (1, 'ru', 1790000000000, NULL, 1790000000000, NULL);
INSERT INTO users VALUES (2, 'ru', 1790000000000, NULL, 1790000000000, NULL);
INSERT INTO users VALUES (3, 'ru', 1790000000000, NULL, 1790000000000, NULL);
INSERT INTO users VALUES (4, 'ru', 1790000000000, NULL, 1790000000000, NULL);
INSERT INTO drafts VALUES ('5ERXSI7MSYPZ4HGLE62DIKK5QH', 1, 'Вера', 1790000000000);
INSERT INTO assets VALUES ('F2RMHOLCQ6MFW7NYA7W3CKGJ4S', 'Маша', 'маша', 'new-year', 'ru', 'REQUEST', NULL, NULL, 'COMPLETED', 'F2RMHOLCQ6MFW7NYA7W3CKGJ4S.mp4', 'F2RMHOLCQ6MFW7NYA7W3CKGJ4S.jpg', 1000, 1000, 640, 360, 'file-id', NULL, '{}', 1790000000000, 1790000000000, 0, 1, NULL, NULL, NULL, NULL, NULL, 0, NULL);
INSERT INTO assets VALUES ('D5NFQ6UJAAL47MNERBYZLOU6ID', 'Лев', 'лев', 'new-year', 'ru', 'REQUEST', NULL, NULL, 'FAILED', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'no such model', '{}', 1790000000000, 1790000000000, 1, 0, NULL, NULL, NULL, NULL, NULL, 0, NULL);
INSERT INTO assets VALUES ('VPR5ADMM6TXNZEZUADBN6DZBRZ', 'Ева', 'ева', 'new-year', 'ru', 'REQUEST', NULL, NULL, 'PENDING', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}', 1790000000000, NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, 0, NULL);
INSERT INTO assets VALUES ('NLJPUMI7BZJIB6RD22QA3SGHH7', 'Оля', 'оля', 'new-year', 'ru', 'REQUEST', NULL, NULL, 'PENDING', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}', 1790000000000, NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, 0, NULL);
INSERT INTO name_counts VALUES ('', '', 'COMPLETED', 1);
INSERT INTO name_counts VALUES ('', '', 'FAILED', 1);
INSERT INTO name_counts VALUES ('', '', 'PENDING', 2);
INSERT INTO name_counts VALUES ('', '', 'PROCESSING', 0);
INSERT INTO name_counts VALUES ('', 'NEEDS', 'FAILED', 1);
INSERT INTO name_counts VALUES ('', 'YOUTUBE', 'COMPLETED', 1);
INSERT INTO name_counts VALUES ('ева', '', 'PENDING', 1);
INSERT INTO name_counts VALUES ('ева', '', 'PROCESSING', 0);
INSERT INTO name_counts VALUES ('лев', '', 'FAILED', 1);
INSERT INTO name_counts VALUES ('лев', '', 'PENDING', 0);
INSERT INTO name_counts VALUES ('лев', '', 'PROCESSING', 0);
INSERT INTO name_counts VALUES ('лев', 'NEEDS', 'FAILED', 1);
INSERT INTO name_counts VALUES ('маша', '', 'COMPLETED', 1);
INSERT INTO name_counts VALUES ('маша', '', 'PENDING', 0);
INSERT INTO name_counts VALUES ('маша', '', 'PROCESSING', 0);
INSERT INTO name_counts VALUES ('маша', 'YOUTUBE', 'COMPLETED', 1);
INSERT INTO name_counts VALUES ('оля', '', 'PENDING', 1);
INSERT INTO name_suffixes VALUES ('ева', 'ева');
INSERT INTO name_suffixes VALUES ('лев', 'лев');
INSERT INTO name_suffixes VALUES ('маша', 'маша');
INSERT INTO name_suffixes VALUES ('оля', 'оля');
INSERT INTO requests VALUES (1, 1, 'F2RMHOLCQ6MFW7NYA7W3CKGJ4S', 1, 'COMPLETED', 11, 12, 1790000000000, 1790000000000, 0, NULL, NULL);
INSERT INTO requests VALUES (2, 2, 'F2RMHOLCQ6MFW7NYA7W3CKGJ4S', 2, 'PROCESSING', NULL, NULL, 1790000000000, NULL, 0, NULL, NULL);
INSERT INTO requests VALUES (3, 3, 'D5NFQ6UJAAL47MNERBYZLOU6ID', 3, 'FAILED', NULL, NULL, 1790000000000, 1790000000000, 0, NULL, NULL);
INSERT INTO requests VALUES (4, 1, 'VPR5ADMM6TXNZEZUADBN6DZBRZ', 1, 'PENDING', NULL, NULL, 1790000000000, NULL, 0, NULL, NULL);
INSERT INTO requests VALUES (5, 4, 'NLJPUMI7BZJIB6RD22QA3SGHH7', 4, 'PENDING', NULL, NULL, 1790000000000, NULL, 0, NULL, NULL);
INSERT INTO sqlite_sequence VALUES ('jobs', 14);
INSERT INTO sqlite_sequence VALUES ('requests', 5);
INSERT INTO channels VALUES (1, 'YOUTUBE', 'UC1', 'Greetings', 'CONNECTED', X'00', NULL, 8, 1, 1, 0, '', NULL, '{}');
INSERT INTO uploads VALUES (1);
INSERT INTO publications VALUES (1, 'F2RMHOLCQ6MFW7NYA7W3CKGJ4S', 'YOUTUBE', 1, 8, 'PENDING', '', '{}', NULL, NULL, NULL, 0, NULL, 0, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1790000000000, NULL, NULL);
INSERT INTO jobs VALUES (4, 'DELIVER', 'F2RMHOLCQ6MFW7NYA7W3CKGJ4S', 1, NULL, 1, 1, 0, 1, 1790000000000, 12, 0, 0, NULL, 1790000000000, NULL, NULL, 0, 0, 0);
INSERT INTO jobs VALUES (5, 'DELIVER', 'F2RMHOLCQ6MFW7NYA7W3CKGJ4S', 2, NULL, 2, 2, 0, 0, NULL, NULL, 0, 0, NULL, 1790000000000, NULL, NULL, 0, 0, 0);
INSERT INTO jobs VALUES (8, 'APOLOGISE', 'D5NFQ6UJAAL47MNERBYZLOU6ID', 3, NULL, 3, 3, 0, 0, NULL, NULL, 0, 0, NULL, 1790000000000, NULL, NULL, 0, 0, 0);
INSERT INTO jobs VALUES (9, 'RENDER', 'VPR5ADMM6TXNZEZUADBN6DZBRZ', NULL, NULL, 1, 2, 1790000001000, 1, NULL, NULL, 0, 0, 'not yet', 1790000000000, NULL, NULL, 0, 1000, 0);
INSERT INTO jobs VALUES (10, 'ANNOUNCE', 'VPR5ADMM6TXNZEZUADBN6DZBRZ', 4, NULL, 1, 4, 0, 0, NULL, NULL, 0, 0, NULL, 1790000000000, NULL, NULL, 0, 0, 0);
INSERT INTO jobs VALUES (11, 'RENDER', 'NLJPUMI7BZJIB6RD22QA3SGHH7', NULL, NULL, 4, 3, 0, 0, NULL, NULL, 0, 0, NULL, 1790000000000, NULL, NULL, 0, 0, 0);
INSERT INTO jobs VALUES (12, 'ANNOUNCE', 'NLJPUMI7BZJIB6RD22QA3SGHH7', 5, NULL, 4, 5, 0, 0, NULL, NULL, 0, 0, NULL, 1790000000000, NULL, NULL, 0, 0, 0);
INSERT INTO jobs VALUES (13, 'PUBLISH', 'F2RMHOLCQ6MFW7NYA7W3CKGJ4S', NULL, 1, 8, 1, 0, 0, NULL, NULL, 0, 0, NULL, 1, NULL, NULL, 0, 0, 0);
INSERT INTO jobs VALUES (14, 'APOLOGISE', 'D5NFQ6UJAAL47MNERBYZLOU6ID', NULL, NULL, 0, 1, 0, 0, NULL, NULL, 0, 0, NULL, 1, 0, NULL, 0, 0, 0);
INSERT INTO attempts VALUES (1, 'F2RMHOLCQ6MFW7NYA7W3CKGJ4S', NULL, 'RENDER', NULL, 1, 1790000000000, 1790000000000, 'done', NULL, NULL);
INSERT INTO attempts VALUES (2, 'D5NFQ6UJAAL47MNERBYZLOU6ID', NULL, 'RENDER', NULL, 1, 1790000000000, 1790000000000, 'gave_up', 'no such model', NULL);
INSERT INTO attempts VALUES (3, 'VPR5ADMM6TXNZEZUADBN6DZBRZ', NULL, 'RENDER', NULL, 1, 1790000000000, 1790000000000, 'rescheduled', 'not yet', NULL);
INSERT INTO outage VALUES (1, 1, 'no such model');
INSERT INTO inbox VALUES (7, 0, NULL, 1790000000000, 0, NULL, 0, NULL);
INSERT INTO inbox VALUES (8, 2, '{"update_id":8}', 1790000000000, 0, NULL, 0, NULL);
INSERT INTO links VALUES (X'0000000000000000000000000000000000000000000000000000000000000000', 8, 1);
INSERT INTO sessions VALUES (X'0000000000000000000000000000000000000000000000000000000000000000', 8, 1, 1);
INSERT INTO audit VALUES (1, 1, 8, NULL, 'sign in', NULL, NULL, '');
INSERT INTO totals VALUES (20717, 'asked', 'new-year', '', 5);
INSERT INTO totals VALUES (20717, 'failed', 'new-year', '', 1);
INSERT INTO totals VALUES (20717, 'made', 'new-year', '', 1);
INSERT INTO totals VALUES (20717, 'new', '', '', 4);
INSERT INTO totals VALUES (20717, 'waited', 'new-year', '1', 1);
CREATE INDEX users_by_seen ON users (seen);
CREATE INDEX drafts_by_user ON drafts (user_id);
CREATE UNIQUE INDEX assets_one_live_per_key ON assets (name_key, template, lang)
	WHERE origin = 'REQUEST' AND status IN ('PENDING', 'PROCESSING');
CREATE UNIQUE INDEX assets_one_successor ON assets (retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX assets_by_key ON assets (name_key, template, lang, finished);
CREATE INDEX assets_by_name ON assets (name_key, status, created DESC, id DESC);
CREATE INDEX assets_newest ON assets (created DESC, id DESC) WHERE replaced = 0;
CREATE INDEX assets_newest_by_status ON assets (status, created DESC, id DESC);
CREATE INDEX assets_needing_newest ON assets (created DESC, id DESC) WHERE needs_attention = 1;
CREATE INDEX assets_needing_by_key ON assets (name_key, template, lang) WHERE needs_attention = 1;
CREATE INDEX assets_needing_since ON assets (finished, id, creator) WHERE needs_attention = 1;
CREATE INDEX assets_needing_by_creator ON assets (creator, name_key) WHERE needs_attention = 1;
CREATE INDEX assets_undelivered ON assets (undelivered, id, creator, status, name_key) WHERE undelivered IS NOT NULL AND needs_attention = 0;
CREATE INDEX assets_delete_requested ON assets (delete_requested_at, id) WHERE delete_requested_at IS NOT NULL;
CREATE INDEX assets_in_advance ON assets (advance, status, finished) WHERE advance IS NOT NULL;
CREATE INDEX assets_by_age ON assets (finished) WHERE creator IS NULL AND published = 0 AND finished IS NOT NULL;
CREATE TRIGGER assets_finished_is_final BEFORE UPDATE OF status ON assets
	WHEN old.status IN ('COMPLETED', 'FAILED') AND new.status <> old.status
BEGIN
	SELECT raise(ABORT, 'assets_finished_is_final');
END;
CREATE INDEX name_suffixes_by_key ON name_suffixes (name_key);
CREATE TRIGGER assets_count_insert AFTER INSERT ON assets
BEGIN
	INSERT INTO name_suffixes SELECT DISTINCT substr(replace(new.name_key, '-', ' '), at.key + 1), new.name_key
		FROM json_each('[0' || replace(hex(zeroblob(length(new.name_key) - 1)), '00', ',0') || ']') at -- a row for each letter
		WHERE (at.key = 0 OR substr(new.name_key, at.key, 1) IN (' ', '-'))
			AND NOT EXISTS (SELECT 1 FROM name_counts WHERE name_key = new.name_key);
	INSERT INTO name_counts VALUES ('', '', new.status, 1), (new.name_key, '', new.status, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER assets_count_status AFTER UPDATE OF status ON assets WHEN new.status <> old.status
BEGIN
	INSERT INTO name_counts VALUES ('', '', new.status, 1), (new.name_key, '', new.status, 1) ON CONFLICT DO UPDATE SET n = n + 1;
	UPDATE name_counts SET n = n - 1 WHERE name_key IN ('', old.name_key) AND part = '' AND status = old.status;
END;
CREATE TRIGGER assets_count_parts AFTER UPDATE OF status, needs_attention, replaced ON assets
	WHEN old.needs_attention OR old.replaced OR old.published OR new.needs_attention OR new.replaced
BEGIN
	INSERT INTO name_counts SELECT k.name_key, x.part, new.status, 1 FROM (SELECT '' name_key UNION ALL SELECT new.name_key) k,
			(SELECT 'NEEDS' part WHERE new.needs_attention UNION ALL SELECT 'REPLACED' WHERE new.replaced
				UNION ALL SELECT platform FROM publications WHERE asset_id = new.id) x
		WHERE true ON CONFLICT DO UPDATE SET n = n + 1;
	UPDATE name_counts SET n = n - 1 WHERE name_key IN ('', old.name_key) AND status = old.status
		AND part IN (SELECT 'NEEDS' WHERE old.needs_attention UNION ALL SELECT 'REPLACED' WHERE old.replaced
			UNION ALL SELECT platform FROM publications WHERE asset_id = old.id);
END;
CREATE TRIGGER assets_count_platforms BEFORE DELETE ON assets WHEN old.published
BEGIN
	UPDATE name_counts SET n = n - 1 WHERE name_key IN ('', old.name_key) AND status = old.status
		AND part IN (SELECT platform FROM publications WHERE asset_id = old.id);
END;
CREATE TRIGGER assets_count_delete AFTER DELETE ON assets
BEGIN
	UPDATE name_counts SET n = n - 1 WHERE name_key IN ('', old.name_key) AND status = old.status
		AND part IN ('', iif(old.needs_attention, 'NEEDS', ''), iif(old.replaced, 'REPLACED', ''));
	DELETE FROM name_suffixes WHERE name_key = old.name_key -- a name nobody has is forgotten
		AND NOT EXISTS (SELECT 1 FROM name_counts WHERE name_key = old.name_key AND n > 0);
	DELETE FROM name_counts WHERE name_key = old.name_key
		AND NOT EXISTS (SELECT 1 FROM name_counts WHERE name_key = old.name_key AND n > 0);
END;
CREATE TRIGGER assets_replace_insert AFTER INSERT ON assets WHEN new.retry_of IS NOT NULL
BEGIN
	UPDATE assets SET replaced = 1 WHERE id = new.retry_of AND status = 'FAILED';
END;
CREATE TRIGGER assets_replace_delete AFTER DELETE ON assets WHEN old.retry_of IS NOT NULL
BEGIN
	UPDATE assets SET replaced = 0 WHERE id = old.retry_of AND replaced = 1;
END;
CREATE TRIGGER assets_name_is_final BEFORE UPDATE OF name_key ON assets WHEN new.name_key <> old.name_key
BEGIN
	SELECT raise(ABORT, 'assets_name_is_final');
END;
CREATE INDEX requests_by_asset ON requests (asset_id);
CREATE INDEX requests_undelivered ON requests (user_id, undelivered) WHERE undelivered IS NOT NULL;
CREATE INDEX requests_undelivered_since ON requests (asset_id, undelivered) WHERE undelivered IS NOT NULL;
CREATE INDEX requests_restore_hold ON requests (user_id) WHERE restore_hold = 1;
CREATE INDEX requests_failed ON requests (user_id) WHERE status = 'FAILED';
CREATE INDEX requests_open ON requests (user_id) WHERE finished IS NULL;
CREATE TRIGGER requests_undelivered_insert AFTER INSERT ON requests WHEN new.undelivered IS NOT NULL
BEGIN
	UPDATE assets SET undelivered = (SELECT min(undelivered) FROM requests WHERE asset_id = new.asset_id AND undelivered IS NOT NULL)
		WHERE id = new.asset_id;
END;
CREATE TRIGGER requests_undelivered_update AFTER UPDATE OF undelivered ON requests WHEN new.undelivered IS NOT old.undelivered
BEGIN
	UPDATE assets SET undelivered = (SELECT min(undelivered) FROM requests WHERE asset_id = new.asset_id AND undelivered IS NOT NULL)
		WHERE id = new.asset_id;
END;
CREATE TRIGGER requests_undelivered_delete AFTER DELETE ON requests WHEN old.undelivered IS NOT NULL
BEGIN
	UPDATE assets SET undelivered = (SELECT min(undelivered) FROM requests WHERE asset_id = old.asset_id AND undelivered IS NOT NULL)
		WHERE id = old.asset_id;
END;
CREATE TRIGGER requests_finished_is_final BEFORE UPDATE OF status ON requests
	WHEN old.status IN ('COMPLETED', 'FAILED') AND new.status <> old.status
BEGIN
	SELECT raise(ABORT, 'requests_finished_is_final');
END;
CREATE VIEW unserved AS
	SELECT a.*, r.id request, r.user_id, r.chat_id FROM requests r JOIN assets a ON a.id = r.asset_id
	WHERE r.status = 'FAILED' AND r.restore_hold = 0 AND NOT EXISTS (
		SELECT 1 FROM requests later CROSS JOIN assets b ON b.id = later.asset_id
		WHERE later.user_id = r.user_id AND later.id > r.id
			AND b.name_key = a.name_key AND b.template = a.template AND b.lang = a.lang);
CREATE VIEW resolved AS
	SELECT a.id, a.name_key, a.template, a.lang FROM assets a
	WHERE a.needs_attention = 1 AND (EXISTS (SELECT 1 FROM assets n WHERE n.retry_of = a.id)
		OR EXISTS (
			SELECT 1 FROM assets b WHERE b.name_key = a.name_key AND b.template = a.template AND b.lang = a.lang
				AND b.origin = 'REQUEST' AND b.status IN ('PENDING', 'PROCESSING')
			UNION ALL SELECT 1 FROM assets b WHERE b.name_key = a.name_key AND b.template = a.template AND b.lang = a.lang
				AND b.origin = 'REQUEST' AND b.status = 'COMPLETED' AND b.finished >= a.finished)
		AND NOT EXISTS (
			WITH RECURSIVE line (id) AS (
				SELECT a.id UNION ALL SELECT e.retry_of FROM line JOIN assets e ON e.id = line.id WHERE e.retry_of IS NOT NULL)
			SELECT 1 FROM line CROSS JOIN unserved u ON u.id = line.id));
CREATE TRIGGER assets_resolve_insert AFTER INSERT ON assets
BEGIN
	UPDATE assets SET needs_attention = 0 WHERE id IN (SELECT s.id FROM resolved s
		WHERE s.name_key = new.name_key AND s.template = new.template AND s.lang = new.lang);
END;
CREATE TRIGGER assets_resolve_delete AFTER DELETE ON assets
BEGIN
	UPDATE assets SET needs_attention = 0 WHERE id IN (SELECT s.id FROM resolved s
		WHERE s.name_key = old.name_key AND s.template = old.template AND s.lang = old.lang);
END;
CREATE TRIGGER requests_resolve_insert AFTER INSERT ON requests
BEGIN
	UPDATE assets SET needs_attention = 0 WHERE id IN (SELECT s.id FROM assets a CROSS JOIN resolved s
		ON s.name_key = a.name_key AND s.template = a.template AND s.lang = a.lang WHERE a.id = new.asset_id);
END;
CREATE TRIGGER requests_resolve_delete AFTER DELETE ON requests
BEGIN
	UPDATE assets SET needs_attention = 0 WHERE id IN (SELECT s.id FROM assets a CROSS JOIN resolved s
		ON s.name_key = a.name_key AND s.template = a.template AND s.lang = a.lang WHERE a.id = old.asset_id);
END;
CREATE INDEX uploads_by_time ON uploads (at);
CREATE VIEW publishable AS
	SELECT id FROM assets WHERE delete_requested_at IS NULL;
CREATE INDEX publications_by_channel ON publications (channel_id, status) WHERE channel_id IS NOT NULL;
CREATE UNIQUE INDEX publications_by_remote ON publications (platform, remote_id) WHERE remote_id IS NOT NULL;
CREATE INDEX publications_to_look ON publications (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX publications_standing ON publications (standing_at) WHERE standing IS NOT NULL;
CREATE INDEX publications_by_time ON publications (publish_at) WHERE publish_at IS NOT NULL;
CREATE INDEX publications_by_status ON publications (platform, status);
CREATE INDEX publications_newest ON publications (platform, asset_created DESC, asset_id DESC);
CREATE INDEX publications_by_hand ON publications (created) WHERE status = 'PENDING' AND step = 'manual';
CREATE INDEX publications_failed ON publications (completed, id, step, platform, creator, channel_id, asset_id) WHERE status = 'FAILED';
CREATE TRIGGER publications_place_insert AFTER INSERT ON publications
BEGIN
	UPDATE publications SET asset_created = (SELECT created FROM assets WHERE id = new.asset_id) WHERE id = new.id;
	UPDATE assets SET published = 1 WHERE id = new.asset_id AND published = 0;
	INSERT INTO name_counts SELECT k.name_key, new.platform, a.status, 1 FROM assets a, (SELECT '' name_key UNION ALL SELECT name_key FROM assets WHERE id = new.asset_id) k
		WHERE a.id = new.asset_id ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER publications_place_delete AFTER DELETE ON publications
BEGIN
	UPDATE name_counts SET n = n - 1 WHERE part = old.platform AND name_key IN ('', (SELECT name_key FROM assets WHERE id = old.asset_id))
		AND status = (SELECT status FROM assets WHERE id = old.asset_id);
	UPDATE assets SET published = EXISTS (SELECT 1 FROM publications WHERE asset_id = old.asset_id) WHERE id = old.asset_id;
END;
CREATE TRIGGER publications_place_is_final BEFORE UPDATE OF asset_id, platform ON publications
	WHEN (new.asset_id, new.platform) <> (old.asset_id, old.platform)
BEGIN
	SELECT raise(ABORT, 'publications_place_is_final');
END;
CREATE INDEX jobs_waiting ON jobs (kind, position) WHERE started IS NULL;
CREATE INDEX jobs_by_fairness_key ON jobs (kind, fairness_key, position);
CREATE INDEX jobs_due ON jobs (due) WHERE started IS NULL AND due > 0;
CREATE INDEX jobs_by_asset ON jobs (asset_id);
CREATE UNIQUE INDEX jobs_one_render ON jobs (asset_id) WHERE request_id IS NULL AND publication_id IS NULL;
CREATE UNIQUE INDEX jobs_one_per_request ON jobs (request_id, kind) WHERE request_id IS NOT NULL;
CREATE UNIQUE INDEX jobs_one_per_publication ON jobs (publication_id) WHERE publication_id IS NOT NULL;
CREATE VIEW fan_outs AS
	SELECT c.id job, c.kind, c.position, c.created, r.id request_id, r.user_id, r.chat_id, r.status, r.progress_id
	FROM jobs c JOIN requests r ON r.asset_id = c.asset_id AND r.id > c.fan_out
	WHERE c.request_id IS NULL AND c.publication_id IS NULL
		AND r.restore_hold = 0 AND r.answer_id IS NULL AND r.status = iif(c.kind = 'DELIVER', 'PROCESSING', 'FAILED')
		AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.request_id = r.id AND j.kind = c.kind);
CREATE INDEX attempts_by_asset ON attempts (asset_id, id);
CREATE INDEX attempts_by_request ON attempts (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX attempts_tried_again ON attempts (finished DESC, id DESC)
	WHERE kind IN ('RENDER', 'PUBLISH') AND outcome IN ('rescheduled', 'gave_up', 'crashed');
CREATE INDEX inbox_waiting ON inbox (update_id) WHERE raw IS NOT NULL;
CREATE INDEX inbox_restore_hold ON inbox (chat_id) WHERE restore_hold = 1;
CREATE INDEX inbox_received ON inbox (received);
CREATE INDEX inbox_set_aside ON inbox (set_aside) WHERE set_aside IS NOT NULL;
CREATE INDEX sessions_by_admin ON sessions (admin);
CREATE INDEX tokens_by_admin ON tokens (admin);
CREATE INDEX ledger_by_person ON ledger (person, at);
CREATE INDEX ledger_by_time ON ledger (at);
CREATE INDEX consents_agreed ON consents (user_id) WHERE answer = 'agreed';
CREATE TRIGGER consents_end AFTER UPDATE OF unreachable ON users WHEN new.unreachable IS NOT NULL
BEGIN
	UPDATE consents SET answer = 'ended', answered = new.unreachable WHERE user_id = new.id AND answer = 'agreed';
END;
CREATE UNIQUE INDEX announcements_one_at_a_time ON announcements (status) WHERE status = 'sending';
CREATE TRIGGER announcements_forget AFTER DELETE ON users
BEGIN
	UPDATE announcements SET reached = old.id - 1 WHERE reached = old.id;
END;
CREATE INDEX announced_by_user ON announced (user_id);
CREATE INDEX announced_waiting ON announced (announcement_id, at) WHERE outcome = 'waiting';
CREATE INDEX announced_failed ON announced (announcement_id, code) WHERE outcome = 'failed';
CREATE INDEX audit_newest ON audit (at DESC, id DESC);
CREATE INDEX audit_by_action ON audit (action, at DESC, id DESC) WHERE action <> 'ask';
CREATE INDEX audit_by_admin ON audit (admin, at DESC, id DESC) WHERE admin IS NOT NULL;
CREATE INDEX audit_by_asset ON audit (asset_id, at DESC, id DESC) WHERE asset_id IS NOT NULL;
CREATE INDEX audit_by_user ON audit (user_id, at) WHERE user_id IS NOT NULL;
CREATE INDEX bin_by_time ON bin (at);
CREATE TRIGGER totals_asked AFTER INSERT ON requests
	WHEN new.finished IS NULL AND new.undelivered IS NULL -- not one that comes back from the bin
BEGIN
	INSERT INTO totals SELECT new.created / 86400000, 'asked', a.template, '', 1 FROM assets a WHERE a.id = new.asset_id
		ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER totals_finished AFTER UPDATE OF status ON assets
	WHEN new.finished IS NOT NULL AND old.finished IS NULL
BEGIN
	INSERT INTO totals VALUES (new.finished / 86400000, iif(new.status = 'COMPLETED', 'made', 'failed'), new.template,
		iif(new.status = 'COMPLETED', '', ifnull(new.error_code, '')), 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER totals_waited AFTER UPDATE OF finished ON requests
	WHEN new.status = 'COMPLETED' AND old.finished IS NULL
BEGIN
	INSERT INTO totals SELECT new.finished / 86400000, 'waited', a.template,
		(SELECT min(value) FROM json_each('[1,2,3,4,5,6,8,10,13,16,20,25,30,40,50,60,80,100,130,160,200,250,300,400,500,600,900,1200,1800,2700,3600,7200,14400,28800,86400,604800,31536000]')
			WHERE value * 1000 >= new.finished - new.created), 1 FROM assets a WHERE a.id = new.asset_id AND new.finished - new.created < 31536000000
		ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER totals_new AFTER INSERT ON users
BEGIN
	INSERT INTO totals VALUES (new.created / 86400000, 'new', '', '', 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER totals_source AFTER UPDATE OF source ON users WHEN new.source IS NOT NULL AND old.source IS NULL
BEGIN
	INSERT INTO totals VALUES (new.seen / 86400000, 'source', '', new.source, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER totals_returning AFTER UPDATE OF seen ON users WHEN new.seen / 86400000 > old.seen / 86400000
BEGIN
	INSERT INTO totals VALUES (new.seen / 86400000, 'returning', '', '', 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER totals_blocked AFTER UPDATE OF unreachable ON users
	WHEN new.unreachable IS NOT NULL AND old.unreachable IS NULL
BEGIN
	INSERT INTO totals VALUES (new.unreachable / 86400000, 'blocked', '', '', 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER totals_published AFTER UPDATE OF status ON publications
	WHEN new.status = 'COMPLETED' AND old.status <> 'COMPLETED'
BEGIN
	INSERT INTO totals SELECT new.completed / 86400000, 'published', a.template, new.platform, 1 FROM assets a WHERE a.id = new.asset_id
		ON CONFLICT DO UPDATE SET n = n + 1;
END;
