/** Fake services and sample values for the tests of `api` and `cli`. */
import { describeObject } from '../../src/config/policy-object.ts';
import type { PolicyServices } from '../../src/api/policy-services.ts';
import { Failure } from '../../src/mail/failure.ts';
import { Readable } from 'node:stream';
import { parseAddress } from '../../src/mail/address.ts';
import type { Outcome } from '../../src/policy/outcome.ts';
import type { StatusView, TraceView } from '../../src/api/contract.ts';
import { readRecipientStates } from '../../src/report/recipient-states.ts';
import { describeQueuedMessage } from '../../src/api/queue-view.ts';
import type { ApiServices, IdentifiedQueueRow } from '../../src/api/services.ts';
import { openRig } from './people-rig.ts';

export const sampleStatus: StatusView = {
  version: '0.1.0',
  hostName: 'gateway.example.test',
  processId: 4711,
  startedAt: '2026-11-22T10:00:00.000Z',
  policyRevision: '8c1f00d2',
  configRevision: '5a0c11e7b2d4',
  configLoadedAt: '2026-11-22T10:00:00.000Z',
  warnings: [],
  lastRefusedReload: null,
  configFile: null,
  dataFolder: '/var/lib/postern',
  defaultSender: 'user@example.test',
  listeners: [{ name: 'mx', address: '127.0.0.1', port: 2525, tls: 'starttls' }],
  queue: { queued: 1, held: 1 },
};

/** A delivery that waits for a partner's TLS, and one that is held. */
export const sampleRows: readonly IdentifiedQueueRow[] = [
  makeRow('06X9T5K1G000', 'doctor@contoso.com', 'queued'),
  makeRow('06X9T5K1H000', 'nurse@fabrikam.com', 'held'),
];

function makeRow(id: string, recipient: string, state: 'queued' | 'held'): IdentifiedQueueRow {
  return {
    id,
    message: {
      key: 1,
      organization: 'example',
      reversePath: parseAddress('user@example.test'),
      bodyType: '8bitmime',
      source: { kind: 'submission', account: 'user' },
      receivedAtMs: Date.UTC(2026, 10, 22, 10, 0, 0),
      sizeBytes: 4096,
    },
    delivery: {
      key: 1,
      ordinal: 0,
      recipients: [parseAddress(recipient)!],
      routeKey: 'mx example contoso.com',
      floor: [{ kind: 'encrypted', origin: { kind: 'connector', name: 'contoso' } }],
      attempts: 1,
      retriesFromMs: Date.UTC(2026, 10, 22, 10, 0, 0),
      failedTlsAtMs: [],
      dueAtMs: Date.UTC(2026, 10, 22, 10, 5, 0),
      state,
      lastOutcome: {
        kind: 'deferred',
        cause: 'tls-not-offered',
        status: { class: 4, subject: 4, detail: 317 },
        reason: 'STARTTLS was not offered',
        reply: { code: 454, status: null, lines: ['TLS \u001b[31mnot available'] },
        remoteMta: { hostName: 'mx.contoso.com', address: '192.0.2.25', port: 25 },
        at: '2026-11-22T10:00:01.000Z',
      },
    },
  };
}

/** A message to one recipient that was accepted and, where `kind` is given, tried once. */
export function sampleTrace(id: string, kind: Outcome['kind'] | null = null): TraceView {
  const at = '2026-11-22T10:00:00.000Z';
  const head = { formatVersion: 1, id, at } as const;
  const recipient = 'doctor@contoso.com';
  const received = {
    ...head,
    kind: 'received',
    organization: 'example',
    reversePath: 'user@example.test',
    bodyType: '8bitmime',
    sizeBytes: 100,
    source: { kind: 'submission', account: 'user' },
    clauses: [],
    decision: null,
    evidence: null,
    deliveries: [{ ordinal: 0, recipients: [recipient], routeKey: 'mx', floor: [] }],
  } as const;
  if (kind === null) return shown(id, [received]);
  const reason = kind === 'delivered' ? 'accepted' : 'the certificate is for another name';
  const status = kind === 'delivered' ? '2.0.0' : '4.7.5';
  const outcome = { recipient, kind, status, reason, reply: null, remoteMta: null, at };
  const decision = { missing: 'x' };
  const route = {
    decision,
    clauses: [],
    hasFailedTlsOnly: false,
    candidates: [],
    outcomes: [outcome],
  };
  const attempt = {
    ...head,
    kind: 'attempt',
    ordinal: 0,
    attempt: 1,
    startedAt: at,
    nextAttemptAt: null,
    routes: [route],
  } as const;
  return shown(id, [received, attempt]);
}

function shown(id: string, events: TraceView['events']): TraceView {
  return { formatVersion: 1, id, events, recipients: readRecipientStates(events) };
}

async function noRevision(): Promise<never> {
  throw new Failure('revision-unknown', 'there is no revision');
}

/** A policy in which nothing is, and nothing can be changed. */
const emptyPolicy: PolicyServices = {
  listObjects: async () => ({ formatVersion: 1, revision: 0, objects: [], next: null }),
  readObject: async (key) => {
    throw new Failure('object-unknown', `there is no ${describeObject(key)}`);
  },
  changePolicy: async () => ({ kind: 'refused', problems: [], dependents: [] }),
  readPolicy: async () => ({ formatVersion: 1, revision: 0, policy: { organizations: [] } }),
  listRevisions: async () => ({ formatVersion: 1, revisions: [] }),
  readRevision: noRevision,
  diffRevisions: noRevision,
  rollBack: noRevision,
  whenInForce: noRevision,
};

/** A gateway without people, of which most tests ask nothing. */
let nobody: ApiServices['people'] | null = null;

/** Services that answer the samples; `overrides` replaces single ones. */
export function fakeServices(overrides: Partial<ApiServices> = {}): ApiServices {
  return {
    ...emptyPolicy,
    people: (nobody ??= openRig().services),
    organizationOf: () => null,
    status: async () => sampleStatus,
    listQueue: async () => sampleRows,
    orderQueue: async () => ({
      changed: 1,
      pending: 0,
      unfit: 0,
      withheld: [],
      rows: [],
      next: null,
    }),
    showQueued: async (id) =>
      describeQueuedMessage(
        sampleRows.filter((row) => row.id === id),
        Buffer.from('Subject: x\u001b[2J\r\n\r\n'),
        () => null,
      ),
    openContent: async (id) =>
      sampleRows.some((row) => row.id === id)
        ? Readable.from([Buffer.from('Subject: x\r\n\r\n'), Buffer.from([0xff, 0xfe, 13, 10])])
        : null,
    searchTraces: async () => ({ rows: [], next: null }),
    readRecords: async () => ({ traces: [], facts: [], next: null }),
    suggestConnectors: async ({ minMessages, minDays }) => ({
      formatVersion: 1,
      policyRevision: '8c1f00d2',
      since: '2026-10-22T10:00:00.000Z',
      oldestAt: null,
      messages: 0,
      minMessages,
      minDays,
      suggestions: [],
      near: [],
      nearLeftOut: 0,
      covered: 0,
      others: 0,
      domainsLeftOut: 0,
    }),
    replay: async () => ({ kind: 'refused', problems: [] }),
    readReadiness: async ({ name, days }) => ({
      formatVersion: 1,
      name,
      days,
      since: '2026-10-22T10:00:00.000Z',
      oldestAt: null,
      results: [],
    }),
    readCertificate: async (name) => {
      throw new Failure('object-unknown', `there is no certificate "${name}"`);
    },
    readTrace: async () => null,
    submit: async () => ({ id: sampleRows[0]!.id }),
    readConfig: async () => ({
      formatVersion: 1,
      file: '/etc/postern/postern.yaml',
      configRevision: '0123456789ab',
      policyRevision: '8c1f00d2',
      loadedAt: '2026-11-22T10:00:00.000Z',
      fileState: 'same',
      config: { hostName: 'gateway.example.test', listeners: [] },
    }),
    listDomains: async () => ({ formatVersion: 1, domainVerification: 'off', domains: [] }),
    verifyDomain: async () => {
      throw new Error('no domains in this fake');
    },
    startValidation: async () => {
      throw new Error('no validation in this fake');
    },
    probeConnector: async () => {
      throw new Error('no probe in this fake');
    },
    listValidations: async () => {
      throw new Error('no validations in this fake');
    },
    readValidation: async () => {
      throw new Error('no validation in this fake');
    },
    listAlarms: async () => ({ formatVersion: 1, alarms: [] }),
    explain: async () => {
      throw new Error('no explain in this fake');
    },
    checkConfig: async () => {
      throw new Error('no check in this fake');
    },
    reloadConfig: async () => {
      throw new Error('no reload in this fake');
    },
    ...overrides,
  };
}
