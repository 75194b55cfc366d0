/**
 * Version 1 of a shard: messages, deliveries, trace, facts.
 *
 * A row of `message` holds the BLOB and is never updated. What changes with each attempt is a small
 * row of `delivery`. `fact.seen_at_ms` says when a fact was last cited, to the refresh interval.
 */
export const queueAndTrace = `
CREATE TABLE message (
  key INTEGER PRIMARY KEY,
  organization TEXT NOT NULL,
  received_at_ms INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  spool_path TEXT,
  spool_offset INTEGER NOT NULL,
  detail TEXT NOT NULL,
  body BLOB
) STRICT;
CREATE INDEX message_spool ON message (spool_path) WHERE spool_path IS NOT NULL;

CREATE TABLE delivery (
  key INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  is_held INTEGER NOT NULL,
  due_at_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  route_key TEXT NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (key, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery (route_key, due_at_ms) WHERE is_held = 0;

CREATE TABLE trace (
  id INTEGER PRIMARY KEY,
  key INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  json TEXT NOT NULL
) STRICT;
CREATE INDEX trace_key ON trace (key);

CREATE TABLE fact (
  id INTEGER PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  seen_at_ms INTEGER NOT NULL,
  json TEXT NOT NULL
) STRICT;
CREATE INDEX fact_seen ON fact (seen_at_ms);

CREATE TABLE last_key (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  key INTEGER NOT NULL
) STRICT;
INSERT INTO last_key VALUES (1, 0);
`;
