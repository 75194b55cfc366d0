/**
 * What must hold after the dialogue of a scenario: `expectation.yaml`.
 *
 *     mailboxes: { user: 1, other/ann: 0 }   messages in the mailbox, of another organization with its id
 *     contains, absent: [pattern]            for the messages of these mailboxes, with flag m
 *     queued: 2                              recipients that still wait
 *     events: [{ kind: refused, … }]         each is part of an event of some trace
 *     explain: [{ ask: { from, to, … }, … }] the running gateway, asked by its API (`ExplainQuestion`)
 *
 * Of an event only what is written is compared; of a list some entry must hold each that is written.
 */
import assert from 'node:assert/strict';
import type { ExplainQuestion } from '../../src/api/contract.ts';
import type { RunningGateway } from './gateway.ts';
import { waitFor } from './ports.ts';
import { certificateOf } from './scenario-certificates.ts';
import type { ClientCertificates } from './scenario-certificates.ts';

export interface Expectation {
  readonly mailboxes?: Readonly<Record<string, number>>;
  readonly contains?: readonly string[];
  readonly absent?: readonly string[];
  readonly queued?: number;
  readonly events?: readonly object[];
  readonly explain?: readonly Explained[];
}

/**
 * `ask.clientCertificate` is a name of certificates.yaml. `reply`: how the answer at RCPT begins, null
 * where it is accepted. `connector`: that for the way out, null for none. `clauses`: the kinds of what
 * TLS must be there, all of them.
 */
interface Explained {
  readonly ask: Partial<ExplainQuestion> & Pick<ExplainQuestion, 'to'>;
  readonly reply?: string | null;
  readonly connector?: string | null;
  readonly destination?: string;
  readonly clauses?: readonly string[];
}

const keys = ['mailboxes', 'contains', 'absent', 'queued', 'events', 'explain'];
const explainKeys = ['ask', 'reply', 'connector', 'destination', 'clauses'];

/** A word that is misspelt would expect nothing. */
function assertKeys(value: object, known: readonly string[]): void {
  for (const key of Object.keys(value)) assert.ok(known.includes(key), `${key} is no key here`);
}

/** Throws where something does not hold. */
export async function assertExpectation(
  gateway: RunningGateway,
  expected: Expectation,
  certificates: ClientCertificates,
): Promise<void> {
  assertKeys(expected, keys);
  await assertMailboxes(gateway, expected);
  for (const explained of expected.explain ?? []) {
    await assertExplained(gateway, explained, certificates);
  }
  for (const event of expected.events ?? []) await assertRecorded(gateway, event);
}

async function assertMailboxes(gateway: RunningGateway, expected: Expectation): Promise<void> {
  const texts: string[] = [];
  for (const [place, count] of Object.entries(expected.mailboxes ?? {})) {
    const read = () => gateway.mailbox(...ownerOf(place));
    await waitFor(`${count} messages of ${place}`, async () => (await read()).length >= count);
    if (expected.queued === undefined) {
      await waitFor('an empty queue', async () => (await gateway.queue()).length === 0);
    }
    const messages = await read();
    assert.equal(messages.length, count, `mailbox of ${place}`);
    texts.push(...messages.map((message) => message.toString('latin1')));
  }
  const all = texts.join('\n');
  for (const pattern of expected.contains ?? []) assert.match(all, new RegExp(pattern, 'm'));
  for (const pattern of expected.absent ?? []) assert.doesNotMatch(all, new RegExp(pattern, 'm'));
  if (expected.queued === undefined) return;
  const rows = await gateway.queue();
  assert.equal(rows.flatMap(({ recipients }) => recipients).length, expected.queued);
}

function ownerOf(place: string): [account: string, organization: string] {
  const [organization, account] = place.split('/');
  return account === undefined ? [place, 'example'] : [account, organization!];
}

async function assertExplained(
  gateway: RunningGateway,
  expected: Explained,
  certificates: ClientCertificates,
): Promise<void> {
  assertKeys(expected, explainKeys);
  const { ask, reply, connector, destination, clauses } = expected;
  const { clientCertificate: name = null, headers = [], sizeBytes = null } = ask;
  const answer = await gateway.api.explain({
    from: null,
    clientAddress: null,
    heloName: null,
    encryption: 'TLSv1.3',
    ...ask,
    headers,
    sizeBytes,
    clientCertificate: name === null ? null : certificateOf(certificates, name).pem,
  });
  const said = JSON.stringify(answer, null, 2);
  const { inbound, outbound } = answer;
  if (reply !== undefined) {
    const begins = inbound?.reply?.slice(0, reply?.length ?? Infinity) ?? null;
    assert.equal(begins, reply, said);
  }
  if (connector !== undefined) assert.equal(outbound?.connector, connector, said);
  if (destination !== undefined) assert.equal(outbound?.destination.kind, destination, said);
  if (clauses === undefined) return;
  const kinds = outbound?.requirement.clauses.map(({ kind }) => kind).toSorted();
  assert.deepEqual(kinds, clauses.toSorted(), said);
}

/** Records are written after the reply has left, so they are waited for. */
async function assertRecorded(gateway: RunningGateway, expected: object): Promise<void> {
  let seen: readonly unknown[] = [];
  await waitFor(
    `the event ${JSON.stringify(expected)}`,
    async () => {
      seen = await readEvents(gateway);
      return seen.some((event) => isPart(expected, event));
    },
    10_000,
  ).catch((cause: unknown) => {
    throw new Error(`${String(cause)} in ${JSON.stringify(seen, null, 2)}`, { cause });
  });
}

async function readEvents(gateway: RunningGateway): Promise<readonly unknown[]> {
  const { rows } = await gateway.api.searchTraces({ limit: 1000 });
  const traces = await Promise.all(rows.map(({ id }) => gateway.api.readTrace(id)));
  return traces.flatMap(({ events }) => events);
}

function isPart(expected: unknown, actual: unknown): boolean {
  if (typeof expected !== 'object' || expected === null) return Object.is(expected, actual);
  if (typeof actual !== 'object' || actual === null) return false;
  if (Array.isArray(expected)) {
    return expected.every((each) => Object.values(actual).some((other) => isPart(each, other)));
  }
  const values = actual as Readonly<Record<string, unknown>>;
  return Object.entries(expected).every(([key, value]) => isPart(value, values[key]));
}
