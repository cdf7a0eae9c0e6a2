-- Times are microseconds since 1970, durations microseconds, costs billionths of a US dollar.
-- A packed identifier is 16 bytes for a lower-case UUID, its last 8 where the others are zero, else the text.

CREATE TABLE organization (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE workspace (
    id           INTEGER PRIMARY KEY,
    organization INTEGER NOT NULL REFERENCES organization,
    slug         TEXT NOT NULL UNIQUE,
    created_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE api_key (
    id           INTEGER PRIMARY KEY,
    organization INTEGER NOT NULL REFERENCES organization,
    workspace    INTEGER REFERENCES workspace, -- NULL opens all of the organization
    name         TEXT NOT NULL,
    prefix       TEXT NOT NULL,
    hash         BLOB NOT NULL UNIQUE,
    created_at   INTEGER NOT NULL,
    revoked_at   INTEGER
) STRICT;
CREATE INDEX api_key_by_prefix ON api_key (prefix);

-- The number of the last commit.
CREATE TABLE revision (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    value INTEGER NOT NULL
) STRICT;

-- Idempotency keys, kept for longer than any client keeps a batch.
CREATE TABLE receipt (
    sender      INTEGER NOT NULL, -- the workspace whose key it came with; 0 for one of the organization
    key         TEXT NOT NULL,
    digest      BLOB NOT NULL,
    accepted    INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (sender, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX receipt_by_age ON receipt (received_at);

-- Every text that occurs often, once: names, agents, models, environments, conversations, users, tags.
CREATE TABLE term (
    id   INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE trace (
    id            INTEGER PRIMARY KEY,
    workspace     INTEGER NOT NULL REFERENCES workspace,
    trace_id      ANY NOT NULL,     -- packed
    revision      INTEGER NOT NULL, -- of its last change; grows with every commit
    name          INTEGER NOT NULL REFERENCES term,
    environment   INTEGER NOT NULL REFERENCES term,
    status        INTEGER NOT NULL, -- 0 running, 1 ok, 2 error, 3 timeout
    started_at    INTEGER NOT NULL,
    duration      INTEGER NOT NULL,
    spans         INTEGER NOT NULL,
    errors        INTEGER NOT NULL,
    input_tokens  INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    total_tokens  INTEGER NOT NULL,
    cost          INTEGER NOT NULL,
    priced        INTEGER NOT NULL,
    unpriced      INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    -- The keys of its rows in `facet`: pairs of dimension and term as varints, the leading value of each first.
    facets        BLOB NOT NULL,
    unsettled     INTEGER,          -- 1 while its text is not in `search`, else NULL
    outdated      INTEGER           -- 1 while the columns above do not count all of its spans, else NULL
) STRICT;
CREATE UNIQUE INDEX trace_by_id ON trace (workspace, trace_id);
CREATE INDEX trace_by_start ON trace (workspace, started_at, id);
CREATE INDEX trace_by_duration ON trace (workspace, duration, id);
CREATE INDEX trace_by_cost ON trace (workspace, cost, id);
CREATE INDEX trace_by_tokens ON trace (workspace, total_tokens, id);
CREATE INDEX trace_by_revision ON trace (workspace, revision);
CREATE INDEX trace_unsettled ON trace (updated_at) WHERE unsettled = 1;

-- What a trace can be found by, in the order in which lists show it.
CREATE TABLE facet (
    workspace  INTEGER NOT NULL,
    dimension  INTEGER NOT NULL, -- 0 agent, 1 conversation, 2 user, 3 kind, 4 model, 5 tag, 6 environment, 7 status
    value      INTEGER NOT NULL, -- a term; for kind and status its number
    started_at INTEGER NOT NULL,
    trace      INTEGER NOT NULL,
    PRIMARY KEY (workspace, dimension, value, started_at, trace)
) STRICT, WITHOUT ROWID;

-- How many traces have a value: what menus show, and the cheapest way into `facet`.
CREATE TABLE facet_value (
    workspace INTEGER NOT NULL,
    dimension INTEGER NOT NULL,
    value     INTEGER NOT NULL,
    traces    INTEGER NOT NULL,
    PRIMARY KEY (workspace, dimension, value)
) STRICT, WITHOUT ROWID;

-- The current version of each span, without its content.
CREATE TABLE span (
    trace    INTEGER NOT NULL,
    span_id  ANY NOT NULL,     -- packed
    parent   ANY,              -- packed
    block    INTEGER NOT NULL, -- where its record is
    position INTEGER NOT NULL, -- which record of the block
    head     BLOB NOT NULL,    -- all else that is taken out of it: see `head.rs`
    PRIMARY KEY (trace, span_id)
) STRICT, WITHOUT ROWID;

-- Records of spans as they came, those of one request or of traces settled together, compressed as one.
CREATE TABLE block (
    id   INTEGER PRIMARY KEY,
    data BLOB NOT NULL
) STRICT;

-- What is known of a block beside its data, which a change would write anew.
CREATE TABLE block_use (
    block   INTEGER PRIMARY KEY,
    spans   INTEGER NOT NULL, -- how many rows of `span` point to it; it goes with the last
    settled INTEGER NOT NULL  -- 1 when its records stay where they are, 0 when they still have to be packed
) STRICT;

-- What metrics add up, of those traces whose numbers are alike but for their last bits: see `fact.rs`.
CREATE TABLE fact_pack (
    id        INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL,
    pack      INTEGER NOT NULL,
    first_at  INTEGER NOT NULL, -- when the first and the last of what it counts started
    last_at   INTEGER NOT NULL,
    facts     BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX fact_pack_by_number ON fact_pack (workspace, pack);
CREATE INDEX fact_pack_by_time ON fact_pack (workspace, last_at, first_at);

-- Sums over the traces of a conversation.
CREATE TABLE conversation (
    workspace     INTEGER NOT NULL,
    id            INTEGER NOT NULL, -- a term
    started_at    INTEGER NOT NULL,
    last_at       INTEGER NOT NULL,
    traces        INTEGER NOT NULL,
    failed        INTEGER NOT NULL,
    input_tokens  INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    total_tokens  INTEGER NOT NULL,
    cost          INTEGER NOT NULL,
    priced        INTEGER NOT NULL,
    unpriced      INTEGER NOT NULL,
    PRIMARY KEY (workspace, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX conversation_by_last ON conversation (workspace, last_at, id);

-- `workspace` is 0 until a trace with this identifier arrives.
CREATE TABLE annotation (
    id          INTEGER PRIMARY KEY,
    workspace   INTEGER NOT NULL,
    trace_id    ANY NOT NULL, -- packed
    span_id     ANY,          -- packed
    name        TEXT NOT NULL,
    value       ANY NOT NULL,
    data_type   INTEGER NOT NULL, -- 0 numeric, 1 categorical, 2 boolean
    comment     TEXT,
    received_at INTEGER NOT NULL
) STRICT;
CREATE INDEX annotation_by_trace ON annotation (trace_id, workspace);

-- The distinct words of each settled trace, separated by spaces; its rowid is the trace's id. Of what `words.rs`
-- takes for a word, this tokenizer makes one token, and changes nothing.
CREATE VIRTUAL TABLE search USING fts5 (
    words, content = '', contentless_delete = 1, detail = none,
    tokenize = "ascii"
);

INSERT INTO revision (id, value) VALUES (1, 0);
INSERT INTO organization (id, name) VALUES (1, 'default');
INSERT INTO workspace (id, organization, slug, created_at) VALUES (1, 1, 'default', 0);
INSERT INTO term (id, text) VALUES (0, '');
