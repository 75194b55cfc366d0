/**
 * Which alarms a validation opens or clears, by comparison with the runs before it. Pure.
 *
 * An alarm is for what nobody watches: what a person just did and saw fail is none, unless it held before.
 */
import type { CertificateFacts } from '../evidence.ts';
import type { ValidationRun } from './run.ts';

export type AlarmCode = 'connector-validation-failed' | 'connector-certificate-changed';

/** `object` names what it is about, as `outbound-connector/contoso`; with `code` it is one alarm. */
export interface Alarm {
  readonly code: AlarmCode;
  readonly organization: string;
  readonly object: string;
  /** RFC 3339, UTC: when it was opened. */
  readonly since: string;
  readonly text: string;
  readonly whatToDo: string;
}

/** `update`: only where it is open already. */
export type AlarmChange =
  | { readonly kind: 'open' | 'update'; readonly alarm: Alarm }
  | { readonly kind: 'clear'; readonly code: AlarmCode; readonly object: string };

/** Null where there was none. `lastWithTls`: the newest that saw certificates. */
export interface RunsBefore {
  readonly last: ValidationRun | null;
  readonly lastWithTls: ValidationRun | null;
}

/** Who wanted the run: a person, or the schedule. */
export type ValidationTrigger = 'order' | 'schedule';

export function objectOf(connector: string): string {
  return `outbound-connector/${connector}`;
}

/** Nothing for a draft: it says nothing of what is in force. */
export function alarmsAfter(
  run: ValidationRun,
  before: RunsBefore,
  trigger: ValidationTrigger,
): readonly AlarmChange[] {
  if (run.isDraft) return [];
  return [...afterResult(run, before.last, trigger), ...afterCertificates(run, before, trigger)];
}

function afterResult(
  run: ValidationRun,
  last: ValidationRun | null,
  trigger: ValidationTrigger,
): readonly AlarmChange[] {
  const code = 'connector-validation-failed';
  if (run.result === 'succeeded') return [{ kind: 'clear', code, object: objectOf(run.connector) }];
  const hasChanged = last?.result === 'succeeded';
  const kind = hasChanged || trigger === 'schedule' ? 'open' : 'update';
  const passes = run.result === 'partial' ? 'mail may still pass by other hosts' : 'mail waits';
  const text = `the validation of "${run.connector}" fails (${passes}): ${run.summary}`;
  const mend = run.findings[0]?.mend ?? '';
  const whatToDo = `${mend} A validation that succeeds ends this alarm.`.trim();
  return [{ kind, alarm: alarmOf(run, code, text, whatToDo) }];
}

function afterCertificates(
  run: ValidationRun,
  { lastWithTls }: RunsBefore,
  trigger: ValidationTrigger,
): readonly AlarmChange[] {
  const code = 'connector-certificate-changed';
  if (lastWithTls === null || leavesOf(run).size === 0) return [];
  const changes = findChangedLeaves(lastWithTls, run);
  const [first] = changes;
  if (first === undefined) {
    // Seen again by a person who asked: that is known now.
    const isKnown = trigger === 'order' && isSeenAgain(lastWithTls, run);
    return isKnown ? [{ kind: 'clear', code, object: objectOf(run.connector) }] : [];
  }
  const more = changes.length > 1 ? `, and ${changes.length - 1} more hosts have others` : '';
  const text = `${first.host} shows another certificate than at the last validation of "${run.connector}": ${describeChange(first)}${more}`;
  const whatToDo =
    'If the partner renewed its certificate, validate the connector again: that ends this alarm. If it did not, ask it on another way before you trust the new one.';
  return [{ kind: 'open', alarm: alarmOf(run, code, text, whatToDo) }];
}

function alarmOf(run: ValidationRun, code: AlarmCode, text: string, whatToDo: string): Alarm {
  const { organization, connector, endedAt: since } = run;
  return { code, organization, object: objectOf(connector), since, text, whatToDo };
}

/** The leaf that each host showed, by host name; of several addresses all of them. */
function leavesOf({ hosts }: ValidationRun): Map<string, CertificateFacts[]> {
  const leaves = new Map<string, CertificateFacts[]>();
  for (const { host, evidence } of hosts) {
    const leaf = evidence?.tls?.chain[0];
    if (leaf !== undefined) leaves.set(host, [...(leaves.get(host) ?? []), leaf]);
  }
  return leaves;
}

export function hasCertificates(run: ValidationRun): boolean {
  return leavesOf(run).size > 0;
}

interface ChangedLeaf {
  readonly host: string;
  readonly before: CertificateFacts;
  readonly now: CertificateFacts;
}

/** Hosts that both saw, and of which the later one saw a certificate that the earlier did not. */
function findChangedLeaves(before: ValidationRun, run: ValidationRun): readonly ChangedLeaf[] {
  const known = leavesOf(before);
  return Array.from(leavesOf(run)).flatMap(([host, leaves]) => {
    const [old] = known.get(host) ?? [];
    if (old === undefined) return [];
    const names = new Set(known.get(host)!.map(({ fingerprint256 }) => fingerprint256));
    const now = leaves.find(({ fingerprint256 }) => !names.has(fingerprint256));
    return now === undefined ? [] : [{ host, before: old, now }];
  });
}

/** Whether each host that showed a certificate shows one again, as far as mail still goes there. */
function isSeenAgain(before: ValidationRun, run: ValidationRun): boolean {
  const now = leavesOf(run);
  const places = new Set(run.hosts.map(({ host }) => host));
  return [...leavesOf(before).keys()].every((host) => now.has(host) || !places.has(host));
}

function describeChange({ before, now }: ChangedLeaf): string {
  const same = (what: string, isSame: boolean): string =>
    `${isSame ? 'the same' : 'another'} ${what}`;
  const names = before.dnsNames.join(' ') === now.dnsNames.join(' ');
  const parts = [
    same('key', before.spki256 === now.spki256),
    same('issuer', before.issuer === now.issuer),
    names ? 'the same names' : 'other names',
  ];
  return `${parts.join(', ')}; valid until ${now.notAfter}`;
}
