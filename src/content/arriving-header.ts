/**
 * What becomes of a message's header when it arrives: read once, judged, cleaned, completed.
 *
 * For every way in. Of what is kept each byte stays as it was, in order; it is a view, not a copy.
 */
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import type { HeaderChanges } from '../policy/delivery.ts';
import type { Hop } from '../policy/original-source.ts';
import { scanHeaderFields } from '../standards/message-format/header-fields.ts';
import type { HeaderProblem } from '../standards/message-format/header-fields.ts';
import type { CrossingField, Promotion } from './cross-premises.ts';
import { promote } from './cross-premises.ts';
import type { FieldEdit } from './header-pieces.ts';
import { replaceSpans } from './header-pieces.ts';
import type { HeaderFacts } from './header-facts.ts';
import { factsOfScan } from './header-facts.ts';
import type { FirewallRules, ForbiddenField } from './header-firewall.ts';
import { findForbiddenFields } from './header-firewall.ts';
import type { Submission } from './missing-fields.ts';
import { composeMissingFields } from './missing-fields.ts';
import { countOwnReceived } from './received.ts';
import { hopsOf } from './received-from.ts';

export interface ArrivingHeader {
  /** With what was added. */
  readonly facts: HeaderFacts;
  /** Received fields by this gateway: how often it has had the message before. */
  readonly ownReceivedCount: number;
  /** What became the organization's own; null where nothing was to. */
  readonly promotion: Promotion | null;
  /** Whom each server had it from, by the Received fields that came, the newest first. */
  readonly hops: () => Iterable<Hop | null>;
  readonly problems: readonly HeaderProblem[];
  /** What stands in the place of the header, in order: added fields first. */
  readonly pieces: readonly Buffer[];
  /** Null where nothing was changed. */
  readonly changes: HeaderChanges | null;
}

/** Received fields above which a message is in a loop: all of them, and our own. */
export interface HopLimits {
  readonly hopsMax: number;
  readonly ownHopsMax: number;
}

/** `header` with the empty line that ends it; `submission` null for mail of other servers. */
export function readArrivingHeader(
  header: Buffer,
  rules: FirewallRules,
  submission: Submission | null,
): ArrivingHeader {
  const text = header.toString('latin1');
  const scan = scanHeaderFields(text);
  const facts = factsOfScan(text, scan);
  const { edits, removed, promotion } = judgeFields(findForbiddenFields(text, scan, rules), rules);
  const kept = edits.length === 0 ? [header] : replaceSpans(header, edits);
  const missing = submission === null ? null : composeMissingFields(facts, submission);
  const added = missing?.names ?? [];
  return {
    facts: added.includes('From') ? withAuthor(facts, submission!) : facts,
    ownReceivedCount: countOwnReceived(text, scan.fields, rules.hostName),
    promotion,
    hops: () => hopsOf(text, scan.fields),
    problems: scan.problems,
    pieces: added.length === 0 ? kept : [missing!.bytes, ...kept],
    changes: edits.length > 0 || added.length > 0 ? { removed, added } : null,
  };
}

interface JudgedFields {
  /** In order. */
  readonly edits: readonly FieldEdit[];
  readonly removed: Readonly<Record<string, number>>;
  readonly promotion: Promotion | null;
}

const nothingJudged: JudgedFields = { edits: [], removed: {}, promotion: null };

/** What is forbidden goes, but for what a server of our other side may say. */
function judgeFields(found: readonly ForbiddenField[], rules: FirewallRules): JudgedFields {
  if (found.length === 0) return nothingJudged;
  const isPromoted = (field: ForbiddenField): field is ForbiddenField & CrossingField =>
    field.family === 'X-MS-Exchange-CrossPremises' && field.name !== null;
  const crossing = rules.promotes === true ? found.filter(isPromoted) : [];
  const promotion = crossing.length === 0 ? null : promote(crossing);
  const promoted = new Map<ForbiddenField, FieldEdit>(
    crossing.map((field, i) => [field, promotion!.edits[i]!] as const),
  );
  const edits = found.map(
    (field) => promoted.get(field) ?? { start: field.start, end: field.end, bytes: null },
  );
  const gone = found.filter((_, i) => edits[i]!.bytes === null);
  return { edits, removed: countFamilies(gone), promotion };
}

function countFamilies(forbidden: readonly ForbiddenField[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { family } of forbidden) counts[family] = (counts[family] ?? 0) + 1;
  return counts;
}

function withAuthor(facts: HeaderFacts, submission: Submission): HeaderFacts {
  return { ...facts, from: { kind: 'addresses', addresses: [submission.author!] } };
}

const tooManyFields = reply(552, '5.3.4', 'the header has more than 1000 fields');
const continuationFirst = reply(
  550,
  '5.6.0',
  'the first line of the header begins with white space, as if it went on from another',
);
const loop = reply(554, '5.4.6', 'too many Received fields: the message is in a loop');
const ownLoop = reply(554, '5.4.6', 'this server has had the message too often: it is in a loop');

/** Why no message with this header is taken, from anybody; null where it may be. */
export function findHeaderFault(header: ArrivingHeader, limits: HopLimits): Reply | null {
  const { facts, ownReceivedCount, problems } = header;
  // Behind what we read, a field could slip through; and nothing may alter the Received that we add.
  if (problems.includes('too-many-fields')) return tooManyFields;
  if (problems.includes('continuation-first')) return continuationFirst;
  if (facts.receivedCount > limits.hopsMax) return loop;
  return ownReceivedCount > limits.ownHopsMax ? ownLoop : null;
}
