/**
 * Validation runs of connectors, and the alarms that are open.
 *
 * A run is kept whole as JSON (gzip), with what it is looked for by beside it. `way` names what of the
 * connector was validated, `trigger` who wanted it. `recipients` is a JSON list. An alarm is one for each
 * code and object of an organization; `organization` is empty for what belongs to the gateway.
 *
 * Both end with their organization, however it is removed: transcripts are not for whoever makes another
 * one of that id.
 */
export const validation = `
CREATE TABLE validation_run (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  organization TEXT NOT NULL,
  connector TEXT NOT NULL,
  trigger TEXT NOT NULL,
  ordered_by TEXT NOT NULL,
  is_draft INTEGER NOT NULL,
  way TEXT NOT NULL,
  started_at TEXT NOT NULL,
  ended_at TEXT NOT NULL,
  policy_revision TEXT NOT NULL,
  scope TEXT NOT NULL,
  recipients TEXT NOT NULL,
  result TEXT NOT NULL,
  summary TEXT NOT NULL,
  has_certificates INTEGER NOT NULL,
  run BLOB NOT NULL
) STRICT;

CREATE INDEX validation_run_by_connector ON validation_run (organization, connector, number);

CREATE TABLE open_alarm (
  code TEXT NOT NULL,
  organization TEXT NOT NULL,
  object TEXT NOT NULL,
  since TEXT NOT NULL,
  text TEXT NOT NULL,
  what_to_do TEXT NOT NULL,
  PRIMARY KEY (code, organization, object)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER validations_end_with_organization AFTER INSERT ON object_version
WHEN NEW.kind = 'organization' AND NEW.value IS NULL
BEGIN
  DELETE FROM validation_run WHERE organization = NEW.name;
  DELETE FROM open_alarm WHERE organization = NEW.name;
END;
`;
