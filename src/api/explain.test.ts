import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDomainPattern } from '../mail/domain-pattern.ts';
import {
  acceptedDomain,
  inboundConnector,
  outboundConnector,
  policy as makePolicy,
} from '../../test/support/policy.ts';
import type { Evidence } from '../policy/evidence.ts';
import type { Policy } from '../policy/policy.ts';
import { explainAnswerSchema, explainQuestionSchema } from './contract.ts';
import { readSupposedHeader as readHeader } from '../app/explain-header.ts';
import { explainMail } from './explain.ts';

const contoso = parseDomainPattern('contoso.com')!;

const inbound = inboundConnector('from contoso', {
  senderDomains: [contoso],
  requireTls: true,
  restrictDomainsToCertificate: true,
  tlsSenderCertificateNames: [parseDomainPattern('mail.contoso.com')!],
});

const outbound = outboundConnector('to contoso', {
  recipientDomains: [contoso],
  tlsSettings: 'DomainValidation',
});

const policy: Policy = {
  ...makePolicy({
    id: 'example',
    name: 'Example',
    inboundConnectors: [inbound],
    outboundConnectors: [outbound, { ...outbound, name: 'off', enabled: false }],
  }),
  revision: 'abc123',
  hostName: 'gateway.example.test',
};

const nowMs = Date.UTC(2026, 10, 22);

/** Evidence of a client that showed a certificate for mail.contoso.com under a public CA. */
function examined(names: readonly string[]): Evidence {
  const range = { notBefore: '2026-01-01T00:00:00.000Z', notAfter: '2027-01-01T00:00:00.000Z' };
  return {
    formatVersion: 1,
    connectionId: 'offline',
    observedAt: '2026-11-22T00:00:00.000Z',
    role: 'server',
    peer: { address: '192.0.2.1', port: 0, hostName: null },
    encryption: 'established',
    failure: null,
    tls: {
      protocol: 'TLSv1.3',
      cipher: 'x',
      cipherStandardName: 'x',
      group: null,
      mode: 'starttls',
      sni: null,
      chain: [
        {
          ...range,
          fingerprint256: 'f',
          spki256: 's',
          subject: 'CN=mail.contoso.com',
          issuer: 'CN=CA',
          serialNumber: '1',
          dnsNames: names,
          commonName: null,
          isSelfSigned: false,
        },
      ],
      paths: [
        {
          ...range,
          kind: 'reached',
          anchors: 'bundled',
          purpose: 'clientAuth',
          anchorFingerprint256: 'a',
        },
      ],
      openssl: null,
      revocation: 'not-checked',
      ownCertificate: null,
      resumedFrom: null,
    },
  };
}

function ask(fields: Record<string, unknown>, names: readonly string[] = ['mail.contoso.com']) {
  return explainMail(policy, explainQuestionSchema.parse(fields), {
    nowMs,
    examineCertificate: async () => examined(names),
    readHeader,
  });
}

const fromPartner = { from: 'doctor@contoso.com', to: 'user@example.test' };

test('a partner without TLS is refused for TLS', async () => {
  const answer = await ask({ ...fromPartner, encryption: 'none' });
  assert.equal(answer.direction, 'inbound');
  assert.equal(answer.inbound?.kind, 'refuse');
  assert.match(answer.inbound?.reply ?? '', /^454 4\.7\.0 .*TLS/);
  assert.equal(answer.outbound, null);
});

test('a partner with TLS and no certificate is refused for the certificate', async () => {
  const answer = await ask(fromPartner);
  assert.match(answer.inbound?.reply ?? '', /^550 5\.7\.51 /);
  assert.match(answer.inbound?.reason ?? '', /certificate/);
  assert.ok(answer.notes.some((note) => note.includes('without a client certificate')));
});

test('a partner with a certificate for another name is refused', async () => {
  const answer = await ask({ ...fromPartner, clientCertificate: 'PEM' }, ['mail.evil.test']);
  assert.match(answer.inbound?.reply ?? '', /^550 5\.7\.51 /);
});

test('a partner with the right certificate is accepted into the mailbox', async () => {
  const answer = await ask({
    ...fromPartner,
    clientAddress: '198.51.100.7',
    clientCertificate: 'PEM',
    encryption: 'TLSv1.2',
  });
  assert.equal(answer.inbound?.kind, 'accept');
  assert.deepEqual(answer.inbound?.connectors, ['from contoso']);
  assert.equal(answer.inbound?.evidence.tls?.protocol, 'TLSv1.2');
  assert.deepEqual(answer.outbound?.destination, { kind: 'mailbox' });
  assert.ok(answer.notes.some((note) => note.includes('revoked')));
  assert.deepEqual(explainAnswerSchema.parse(JSON.parse(JSON.stringify(answer))), answer);
});

test('mail to a partner shows the connector, what lost, and every clause', async () => {
  const answer = await ask({ from: 'user@example.test', to: 'doctor@Contoso.com' });
  assert.equal(answer.direction, 'outbound');
  assert.equal(answer.inbound, null);
  assert.equal(answer.outbound?.connector, 'to contoso');
  assert.deepEqual(
    answer.outbound?.requirement.clauses.map((clause) => clause.kind),
    ['encrypted', 'min-version', 'trust-anchors', 'name'],
  );
  assert.ok(answer.outbound?.considered.some((entry) => entry.result === 'lost'));
  assert.deepEqual(answer.notes, []);
  assert.deepEqual(explainAnswerSchema.parse(JSON.parse(JSON.stringify(answer))), answer);
});

test('mail between strangers is said to be nobody’s, and a session that tries it is refused', async () => {
  const strangers = { from: 'a@fabrikam.com', to: 'doctor@contoso.com' };
  assert.match((await ask(strangers)).notes[0] ?? '', /no accepted domain/);
  const answer = await ask({ ...strangers, clientAddress: '198.51.100.7' });
  assert.match(answer.inbound?.reply ?? '', /^550 5\.7\.1 /);
});

test('mail for a domain that nobody has proven yet is judged as arriving, and put off', async () => {
  const unproven = makePolicy({
    acceptedDomains: [acceptedDomain('late.com', { isProven: false })],
  });
  const question = explainQuestionSchema.parse({ from: 'a@fabrikam.com', to: 'user@late.com' });
  const answer = await explainMail(unproven, question, {
    nowMs,
    examineCertificate: () => Promise.reject(new Error('no certificate expected')),
    readHeader,
  });
  assert.equal(answer.direction, 'inbound');
  assert.match(answer.inbound?.reply ?? '', /^450 4\.7\.1 .*late\.com is not verified here yet/);
  assert.equal(answer.outbound, null);
});

test('an address that is none is refused with its field', async () => {
  const question = { ...explainQuestionSchema.parse(fromPartner), to: 'nobody' };
  await assert.rejects(
    explainMail(policy, question, {
      nowMs,
      examineCertificate: async () => examined([]),
      readHeader,
    }),
    { code: 'api-request-invalid', message: /^to: "nobody"/ },
  );
});

const tools = { nowMs, examineCertificate: async () => examined([]), readHeader };

test('an own server that may relay: whose it is, and the way that its mail takes', async () => {
  const own = inboundConnector('own', {
    connectorType: 'OnPremises',
    senderIPAddresses: ['198.51.100.0/24'],
  });
  const central = outboundConnector('central', { routeAllMessagesViaOnPremises: true });
  const value = makePolicy({ inboundConnectors: [own], outboundConnectors: [central] });
  const question = explainQuestionSchema.parse({
    from: 'user@example.test',
    to: 'x@else.test',
    clientAddress: '198.51.100.7',
  });
  const answer = await explainMail(value, question, tools);
  assert.deepEqual(answer.inbound?.origin, {
    kind: 'originating',
    connector: 'own',
    by: 'address',
  });
  // It does not go back to where it came from.
  assert.equal(answer.outbound?.connector, null);
  const stranger = { ...question, clientAddress: '203.0.113.1' };
  const refused = await explainMail(value, stranger, tools);
  assert.match(refused.inbound!.reply!, /^550 5\.7\.64 /);
  assert.equal(refused.outbound, null);
});

test('a rehearsal address is explained as what mail there would be told', async () => {
  const rehearsalAddress = { localPart: 'try', domain: 'example.test' };
  const value = makePolicy({ inboundConnectors: [inbound], rehearsalAddress });
  const tools = {
    nowMs,
    examineCertificate: async () => examined(['mail.contoso.com']),
    readHeader,
  };
  const question = { from: 'a@contoso.com', to: 'try@example.test', encryption: 'none' };
  const refused = await explainMail(value, explainQuestionSchema.parse(question), tools);
  assert.match(refused.inbound?.reply ?? '', /^454 4\.7\.0/);
  const other = { ...question, from: 'a@other.test' };
  const taken = await explainMail(value, explainQuestionSchema.parse(other), tools);
  assert.equal(taken.inbound?.kind, 'accept');
  assert.equal(taken.outbound?.destination.kind, 'none');
  for (const { notes } of [refused, taken]) {
    assert.ok(
      notes.some((note) => note.startsWith('it is a rehearsal address')),
      notes.join(),
    );
  }
});
