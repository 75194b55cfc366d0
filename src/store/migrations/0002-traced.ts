/**
 * Version 2: what the trace can be searched for.
 *
 * One narrow row per message or refusal, in the order of keys and so of time: new rows go to the end,
 * and a search walks from there. `sender` and `recipients` are in lower case, each address between
 * line feeds. `has_bounced`: some recipient once was given up. A damaged record is left out.
 */
export const traced = `
CREATE TABLE traced (
  key INTEGER PRIMARY KEY,
  is_refusal INTEGER NOT NULL,
  has_bounced INTEGER NOT NULL,
  sender TEXT NOT NULL,
  recipients TEXT NOT NULL
) STRICT;

INSERT INTO traced
SELECT key, kind = 'refused', 0,
  char(10) || lower(ifnull(json ->> '$.reversePath', '')) || char(10),
  char(10) || lower(CASE kind
    WHEN 'refused' THEN ifnull(json ->> '$.recipient', '')
    ELSE ifnull((SELECT group_concat(recipient.value, char(10))
      FROM json_each(trace.json, '$.deliveries') AS delivery,
        json_each(delivery.value, '$.recipients') AS recipient), '') END) || char(10)
FROM trace WHERE kind IN ('received', 'refused') AND json_valid(json)
ON CONFLICT (key) DO NOTHING;

UPDATE traced SET has_bounced = 1 WHERE key IN (
  SELECT key FROM trace WHERE kind = 'expired'
  OR (kind = 'attempt' AND instr(json, '"kind":"bounced"') > 0));
`;
