/** A DSN of each kind, as the writer is asked for it: for parsers of other makers, and for reading. */
import { status } from '../../src/mail/enhanced-status.ts';
import { reply } from '../../src/mail/reply.ts';
import type { CandidateRecord } from '../../src/policy/delivery.ts';
import type { Evidence } from '../../src/policy/evidence.ts';
import type { Outcome } from '../../src/policy/outcome.ts';
import type { Clause } from '../../src/policy/tls-requirement.ts';
import type { DsnRecipient } from '../../src/report/dsn-recipient.ts';
import type { DsnInput } from '../../src/report/dsn.ts';

const receivedAtMs = Date.UTC(2026, 10, 22, 3, 53, 43);
const at = new Date(receivedAtMs + 1000).toISOString();
const remoteMta = { hostName: 'mx1.partner.example', address: '192.0.2.9', port: 25 };
const origin = { kind: 'connector', name: 'To Contoso Bank' } as const;

const clauses: readonly Clause[] = [
  { kind: 'encrypted', origin },
  { kind: 'min-version', version: 'TLSv1.2', origin },
  {
    kind: 'trust-anchors',
    anchors: 'bundled',
    purpose: 'serverAuth',
    revocation: 'not-checked',
    origin,
  },
  { kind: 'name', references: [{ kind: 'wildcard', domain: 'partner.example' }], origin },
];

function evidence(encryption: Evidence['encryption']): Evidence {
  const tls = {
    protocol: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    cipherStandardName: 'TLS_AES_256_GCM_SHA384',
    group: 'X25519MLKEM768',
    mode: 'starttls',
    sni: 'mx1.partner.example',
    chain: [
      {
        fingerprint256: 'AA',
        spki256: 'BB',
        subject: 'CN=mail.other.example',
        issuer: 'CN=Some CA, O=Some Company',
        serialNumber: '01',
        notBefore: '2026-01-01T00:00:00.000Z',
        notAfter: '2027-01-01T00:00:00.000Z',
        dnsNames: ['mail.other.example', 'www.other.example'],
        commonName: null,
        isSelfSigned: false,
      },
    ],
    paths: [],
    openssl: null,
    revocation: 'not-checked',
    ownCertificate: null,
    resumedFrom: null,
  } as const;
  return {
    formatVersion: 1,
    connectionId: '1',
    observedAt: at,
    role: 'client',
    peer: { address: '192.0.2.9', port: 25, hostName: 'mx1.partner.example' },
    encryption,
    failure: null,
    tls: encryption === 'established' ? tls : null,
  };
}

const wrongName: CandidateRecord = {
  ...remoteMta,
  addedClauses: [],
  evidence: evidence('established'),
  verdict: {
    kind: 'refuse',
    status: '4.4.317',
    reason:
      'connector "To Contoso Bank" requires a certificate for *.partner.example; Expected ' +
      'Subject: *.partner.example; Presented Subject: mail.other.example, www.other.example',
  },
};
const noStartTls: CandidateRecord = {
  hostName: 'mx2.partner.example',
  address: '2001:db8::9',
  port: 25,
  addedClauses: [],
  evidence: evidence('not-offered'),
  verdict: {
    kind: 'refuse',
    status: '4.4.317',
    reason: 'connector "To Contoso Bank" requires encryption; STARTTLS was not offered',
  },
};
const proceeds: CandidateRecord = {
  ...wrongName,
  verdict: { kind: 'proceed', met: ['encryption'] },
};

const detail = { reply: null, remoteMta, at };
const tlsOutcome: Outcome = {
  kind: 'deferred',
  cause: 'tls-requirement',
  status: status('4.4.317'),
  reason: 'Cannot connect to remote server [Message=SubjectMismatch]: see the hosts',
  ...detail,
};
const refused: Outcome = {
  ...detail,
  kind: 'bounced',
  cause: 'peer-reply',
  status: status('5.1.1'),
  reason: 'mx1.partner.example [192.0.2.9] said 550 no such user in answer to RCPT',
  reply: reply(550, '5.1.1', 'no such user', 'ask the operator'),
};
const busy: Outcome = {
  ...detail,
  kind: 'deferred',
  cause: 'connect',
  status: status('4.4.316'),
  reason: 'Connection refused: mx1.partner.example [192.0.2.9]:25 (ECONNREFUSED)',
};
const taken: Outcome = {
  ...detail,
  kind: 'delivered',
  handedTo: 'relay',
  status: status('2.1.5'),
  reason: 'accepted by mx1.partner.example [192.0.2.9]',
  reply: reply(250, '2.1.5', 'queued as 4711'),
};
const held: Outcome = {
  ...tlsOutcome,
  kind: 'held',
  cause: 'policy-weakened',
  status: status('4.7.5'),
  reason:
    "today's policy no longer requires a certificate for *.partner.example, under which the " +
    'message was accepted',
  remoteMta: null,
};

function to(over: Partial<DsnRecipient>): DsnRecipient {
  return {
    recipient: { localPart: 'bob', domain: 'partner.example' },
    action: 'failed',
    outcome: refused,
    clauses: [],
    candidates: [],
    nextAttemptAtMs: null,
    willRetryUntilMs: null,
    ...over,
  };
}

const next = {
  nextAttemptAtMs: receivedAtMs + 15 * 60_000,
  willRetryUntilMs: receivedAtMs + 24 * 3_600_000,
};
const content = Buffer.from(
  'From: "Alice" <alice@example.test>\r\nTo: bob@partner.example\r\nSubject: the merger\r\n' +
    'Message-ID: <1@example.test>\r\nDate: Sun, 22 Nov 2026 03:53:42 +0000\r\n\r\n' +
    'From the body\r\n.\r\n',
);
const header = content.subarray(0, content.indexOf('\r\n\r\n') + 4);
const sender = { localPart: 'alice', domain: 'example.test' };
const aliasedFrom = { localPart: 'sales', domain: 'example.test' };
const forced = { clauses, candidates: [wrongName, noStartTls] };

function about(
  recipients: readonly DsnRecipient[],
  over: Partial<DsnInput['about']> = {},
): DsnInput {
  return {
    id: '0ABCDEFGHJK1',
    about: {
      id: '0ABCDEFGHJK0',
      reversePath: sender,
      receivedAtMs,
      organization: 'contoso',
      isForced: false,
      request: { ret: null, envelopeId: 'QQ314159' },
      header,
      content: null,
      ...over,
    },
    recipients,
    hostName: 'mail.example.test',
    postmaster: { localPart: 'postmaster', domain: 'example.test' },
    nowMs: receivedAtMs + 5 * 60_000,
  };
}

/** By what is special about each. */
export const sampleDsns: Readonly<Record<string, DsnInput>> = {
  failed: about([to({})]),
  'failed-whole-mail-returned': about([to({})], {
    request: { ret: 'full', envelopeId: null },
    content,
  }),
  'failed-forced': about([to({ outcome: tlsOutcome, ...forced })], {
    request: { ret: 'full', envelopeId: null },
    content,
  }),
  'failed-alias': about([
    to({ recipient: { localPart: 'bob', domain: 'hidden.example', aliasedFrom } }),
  ]),
  'failed-utf8': about([
    to({ recipient: { localPart: 'j\u00fcrgen', domain: 'partner.example' } }),
  ]),
  'failed-to-utf8-sender': about([to({})], {
    reversePath: { localPart: 'j\u00f8rn', domain: 'example.test' },
  }),
  delayed: about([to({ action: 'delayed', outcome: busy, ...next })]),
  'delayed-forced': about([to({ action: 'delayed', outcome: tlsOutcome, ...forced, ...next })]),
  'delayed-held': about([to({ action: 'delayed', outcome: held, clauses })]),
  delivered: about([to({ action: 'delivered', outcome: { ...taken, handedTo: 'mailbox' } })]),
  relayed: about([to({ action: 'relayed', outcome: taken, clauses, candidates: [proceeds] })]),
  expanded: about([to({ action: 'expanded', outcome: taken, recipient: aliasedFrom })]),
  mixed: about([
    to({ action: 'relayed', outcome: taken }),
    to({ recipient: { localPart: 'eve', domain: 'partner.example' } }),
  ]),
};
