/**
 * Version 2: people, what they sign in with, and the audit log.
 *
 * Of sessions, tokens, links and recovery codes only SHA-256 digests are kept. Passwords are argon2id
 * hashes, authenticator secrets are encrypted with a key that lies in another file. `organization` of a
 * grant is empty for the whole gateway. Times that are compared are milliseconds, shown ones RFC 3339.
 *
 * Roles and tokens for an organization end with it, however it is removed: who makes another one of that
 * id makes it for others.
 */
export const people = `
CREATE TABLE person (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  display_name TEXT,
  is_enabled INTEGER NOT NULL,
  password_hash TEXT,
  totp_box BLOB,
  totp_pending_box BLOB,
  totp_last_step INTEGER,
  oidc_issuer TEXT,
  oidc_subject TEXT,
  created_at TEXT NOT NULL,
  last_signed_in_at TEXT,
  CHECK ((oidc_issuer IS NULL) = (oidc_subject IS NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX person_by_subject ON person (oidc_issuer, oidc_subject)
  WHERE oidc_subject IS NOT NULL;

CREATE TABLE person_grant (
  person TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
  role TEXT NOT NULL,
  organization TEXT NOT NULL,
  PRIMARY KEY (person, role, organization)
) STRICT, WITHOUT ROWID;

CREATE TABLE recovery_code (
  person TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
  digest TEXT NOT NULL,
  PRIMARY KEY (person, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE link (
  digest TEXT PRIMARY KEY,
  person TEXT REFERENCES person (id) ON DELETE CASCADE,
  expires_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
  id TEXT PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  person TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  permissions TEXT NOT NULL,
  organization TEXT,
  created_at TEXT NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  last_used_at_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX token_by_person ON token (person);

CREATE TABLE session (
  id TEXT PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  person TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
  signed_in_at_ms INTEGER NOT NULL,
  last_seen_at_ms INTEGER NOT NULL,
  address TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX session_by_person ON session (person);

CREATE TRIGGER roles_end_with_organization AFTER INSERT ON object_version
WHEN NEW.kind = 'organization' AND NEW.value IS NULL
BEGIN
  DELETE FROM person_grant WHERE organization = NEW.name;
  DELETE FROM token WHERE organization = NEW.name;
END;

CREATE TABLE audit (
  number INTEGER PRIMARY KEY,
  hash TEXT NOT NULL,
  json TEXT NOT NULL,
  at TEXT NOT NULL,
  action TEXT NOT NULL,
  person TEXT,
  organization TEXT,
  object_kind TEXT,
  object_name TEXT
) STRICT;

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is not changed'); END;
CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is not removed'); END;
`;
