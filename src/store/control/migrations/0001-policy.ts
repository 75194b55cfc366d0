/**
 * Version 1: the policy as objects with versions.
 *
 * A revision is one change, of one object or of many. An object as of a revision is its newest version
 * that is not younger; `value` null says that it was removed. `position` orders the objects of a kind
 * within their organization; it has gaps, so that one that moves needs no other version of its
 * neighbours. `organization` is empty for what belongs to the gateway.
 */
export const policy = `
CREATE TABLE revision (
  number INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  author TEXT NOT NULL,
  origin TEXT NOT NULL,
  reason TEXT,
  policy_revision TEXT NOT NULL,
  file_digest TEXT
) STRICT;

CREATE INDEX revision_by_policy ON revision (policy_revision);

CREATE TABLE object_version (
  kind TEXT NOT NULL,
  organization TEXT NOT NULL,
  name TEXT NOT NULL,
  revision INTEGER NOT NULL REFERENCES revision (number),
  position REAL NOT NULL,
  value TEXT,
  PRIMARY KEY (kind, organization, name, revision)
) STRICT, WITHOUT ROWID;

CREATE INDEX object_version_by_revision ON object_version (revision);
`;
