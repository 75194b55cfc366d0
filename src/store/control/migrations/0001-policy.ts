/**
 * Version 1: the policy as objects with versions.
 *
 * A revision is one change, of one object or of many. An object as of a revision is its newest version
 * that is not younger; `value` null says that it was removed. `position` orders the objects of a kind
 * within their organization; it has gaps, so that one that moves needs no other version of its
 * neighbours. `set_by` is `gateway` or `organization`: whose administrator said where mail goes. `organization` is empty for what belongs to the gateway.
 *
 * `in_force` has a row for each time that another policy came into force: domains that are proven make
 * another one of the same revision.
 */
export const policy = `
CREATE TABLE revision (
  number INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  author TEXT NOT NULL,
  origin TEXT NOT NULL,
  reason TEXT,
  file_digest TEXT
) STRICT;

CREATE TABLE in_force (
  since TEXT NOT NULL,
  policy_revision TEXT NOT NULL,
  revision INTEGER NOT NULL
) STRICT;

CREATE INDEX in_force_by_policy ON in_force (policy_revision);

CREATE TABLE object_version (
  kind TEXT NOT NULL,
  organization TEXT NOT NULL,
  name TEXT NOT NULL,
  revision INTEGER NOT NULL REFERENCES revision (number),
  position REAL NOT NULL,
  value TEXT,
  set_by TEXT NOT NULL,
  PRIMARY KEY (kind, organization, name, revision)
) STRICT, WITHOUT ROWID;

CREATE INDEX object_version_by_revision ON object_version (revision);
`;
