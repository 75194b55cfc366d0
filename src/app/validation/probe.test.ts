/** Probes against a fake lane: what is refused before anything is asked, and that nothing is kept. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  acceptedDomain,
  evidence,
  outboundConnector,
  patterns,
  policy,
  reached,
  tlsEvidence,
} from '../../../test/support/policy.ts';
import { openMemoryControl } from '../../../test/support/memory-control.ts';
import { hostVerdict, validationRun } from '../../../test/support/validation-run.ts';
import { probeOrderSchema, probeSchema } from '../../api/contract/probe.ts';
import { Failure } from '../../mail/failure.ts';
import { silentLog } from '../../report/log.ts';
import type { Configuration } from '../configuration.ts';
import type { LaneValidation } from '../messages.ts';
import { admissionLimits } from './admission.ts';
import { probeConnector } from './probe.ts';
import { Validations } from './validations.ts';

const saved = outboundConnector('partner', { recipientDomains: patterns('partner.test') });
const hub = outboundConnector('hub', {
  recipientDomains: patterns('hub.test'),
  route: { kind: 'smart-hosts', hosts: [{ host: 'smart.hub.test', port: 25 }] },
});
const of = { organization: 'org', name: 'partner' };

const long = { notBefore: new Date(0).toISOString(), notAfter: '2099-01-01T00:00:00.000Z' };
const good = evidence({ tls: tlsEvidence({ paths: [reached(long)] }) });

function start() {
  const asked: LaneValidation[] = [];
  const control = openMemoryControl();
  const inForce = policy({
    acceptedDomains: [acceptedDomain('example.test')],
    outboundConnectors: [saved, hub],
  });
  const validations = new Validations({
    lanes: [
      {
        ask: async (_name: string, value: LaneValidation) => {
          asked.push(value);
          const host = hostVerdict({}, { evidence: good });
          return validationRun({ id: value.id, organization: 'org', hosts: [host] });
        },
      },
    ],
    inForce: () => ({ policy: inForce, config: { file: null } }) as unknown as Configuration,
    load: async () => assert.fail('a probe has no draft'),
    runs: control.validations,
    alarms: control.alarms,
    log: silentLog,
  });
  const parts = { validations, policy: () => inForce };
  const probe = (order: object = {}, to = of) =>
    probeConnector(parts, to, probeOrderSchema.parse(order));
  return { asked, validations, probe };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: unknown) => (error instanceof Failure ? `${error.code}: ${error.message}` : 'defect'),
  );
}

test('a domain whose mail goes elsewhere is refused, and no lane is asked', async () => {
  const { asked, probe } = start();
  for (const domain of [
    'other.test',
    'hub.test',
    'example.test',
    'localhost',
    'sub.partner.test',
  ]) {
    assert.match(await codeOf(probe({ domain })), /^address-not-allowed: address not allowed: /);
  }
  for (const to of [
    { ...of, name: 'absent' },
    { ...of, organization: 'other' },
  ]) {
    assert.match(await codeOf(probe({}, to)), /^outbound-connector-unknown/);
  }
  assert.deepEqual(asked, []);
});

test('only domains are asked for', () => {
  const wrong = ['127.0.0.1', '[::1]', 'mx.partner.test:22', 'a b', '', 'http://a.test', '*'];
  for (const domain of wrong) assert.ok(!probeOrderSchema.safeParse({ domain }).success, domain);
  for (const key of ['host', 'port', 'draft', 'recipients']) {
    assert.ok(!probeOrderSchema.safeParse({ [key]: 'mx.partner.test' }).success, key);
  }
});

test('nothing beyond TLS is asked, and nothing is kept', async () => {
  const { asked, validations, probe } = start();
  const found = await probe({ domain: 'PARTNER.test' });
  assert.deepEqual(probeSchema.parse(found), found);
  const [lane] = asked;
  assert.deepEqual(
    [lane?.asksEnvelope, lane?.message, lane?.configuration, lane?.recipients],
    [false, null, null, [{ localPart: 'postmaster', domain: 'partner.test' }]],
  );
  const key = { organization: 'org', connector: 'partner' };
  assert.deepEqual(validations.list(key, { before: null, limit: 10 }), []);
  assert.equal(validations.standingOf(key).lastValidationTimestamp, null);
  assert.deepEqual(validations.alarms(null), []);
  await probe();
  assert.deepEqual(asked[1]?.recipients, []);
  assert.equal(asked[1]?.asksEnvelope, false);
});

test('each setting is judged by the names that would count', async () => {
  const { probe } = start();
  const settingsOf = async (order: object) => {
    const [host] = (await probe(order)).hosts;
    return host?.settings.map(({ setting, isMet }) => [setting, isMet]);
  };
  assert.deepEqual(await settingsOf({ domain: 'partner.test' }), [
    ['Opportunistic', true],
    ['EncryptionOnly', true],
    ['CertificateValidation', true],
    ['DomainValidation', true],
    ['Pinned', null],
  ]);
  // Which domain the names would be of is not said.
  assert.deepEqual((await settingsOf({}))?.[3], ['DomainValidation', null]);
});

test('probes and validations are counted together', async () => {
  const { probe } = start();
  for (let each = 0; each < admissionLimits.ordersPerMinute; each++) await probe();
  assert.match(await codeOf(probe()), /^validation-busy/);
});
