/** What somebody in the way, or a host that is not the partner's, cannot do to forced mail. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import {
  anchorsName,
  delivery,
  outcomesOf,
  partnerTls,
  singleZone,
  startRig,
  toPartner,
} from '../../test/support/delivery-rig.ts';
import type { FakePartnerOptions } from '../../test/support/fake-partner.ts';
import { removeDirectory } from '../../test/support/tls-ends.ts';
import type { OutboundConnector } from '../policy/policy.ts';
import type { Target } from './connect.ts';
import { keyOf } from './destination.ts';

after(removeDirectory);

async function attemptTo(options: FakePartnerOptions, connectors: readonly OutboundConnector[]) {
  const rig = await startRig({ zone: singleZone, connectors });
  await rig.partner('192.0.2.1', options);
  try {
    return outcomesOf(await rig.room.attempt(delivery()))[0]!;
  } finally {
    await rig.close();
  }
}

const validated = [toPartner({ tlsSettings: 'CertificateValidation' })];
const isHello = (command: string): boolean => command === 'EHLO' || command === 'HELO';
const refusesHello: FakePartnerOptions = {
  reply: ({ command }) => (isHello(command) ? '550 5.7.1 nobody here' : null),
};
const refusesHelloUnderTls: FakePartnerOptions = {
  tls: partnerTls.untrusted,
  reply: ({ command, isTls }) => (isTls && isHello(command) ? '550 5.7.1 nobody here' : null),
};

describe('a host that was not judged yet', () => {
  const cases: readonly [string, FakePartnerOptions][] = [
    ['greets with 521', { greeting: '521 5.3.2 this host takes no mail' }],
    ['greets with 556', { greeting: '556 5.1.10 no mail for that domain' }],
    ['refuses EHLO and HELO in clear', refusesHello],
    ['refuses EHLO under the certificate of a stranger', refusesHelloUnderTls],
  ];
  for (const [what, options] of cases) {
    test(`and ${what} cannot make forced mail bounce`, async () => {
      const outcome = await attemptTo(options, validated);
      assert.equal(outcome.kind, 'deferred', outcome.reason);
      assert.equal(outcome.status.class, 4);
      assert.match(outcome.reason, /said 5\d\d/);
    });

    test(`and ${what} is believed where nothing is required`, async () => {
      assert.equal((await attemptTo(options, [])).kind, 'bounced');
    });
  }
});

test('no control of a peer leaves its reply', async () => {
  const greeting = '421 4.3.2 \u001b]0;owned\u0007\u001b[31m\u202e\u009b busy\u0000';
  const outcome = await attemptTo({ greeting }, validated);
  assert.match(outcome.reason, /busy/);
  // oxlint-disable-next-line eslint/no-control-regex -- controls are what must not be there
  assert.doesNotMatch(JSON.stringify(outcome), /[\u0000-\u001f\u007f-\u009f\u202e]|\\u00/);
});

describe('the key of a pool', () => {
  const target: Target = {
    organization: 'org',
    hostName: 'mx.partner.test',
    address: '192.0.2.1',
    port: 25,
    sni: 'mx.partner.test',
    mode: 'starttls',
    anchors: anchorsName,
    wantedPaths: [],
    clientCertificate: null,
    goesClear: false,
    smallClientHello: false,
  };
  const key = keyOf(target, null);

  test('parts what must not share a connection', () => {
    const others: readonly Partial<Target>[] = [
      { organization: 'other' },
      { address: '192.0.2.2' },
      { port: 26 },
      { sni: 'mx.other.test' },
      { sni: null },
      { clientCertificate: 'ours' },
      { goesClear: true },
    ];
    for (const part of others) {
      assert.notEqual(keyOf({ ...target, ...part }, null), key, JSON.stringify(part));
    }
    assert.notEqual(keyOf(target, '192.0.2.99'), key);
  });

  test('names no requirement: each transaction is judged by its own', () => {
    const other = { anchors: 'bundled', wantedPaths: [], smallClientHello: true };
    assert.equal(keyOf({ ...target, ...other }, null), key);
  });
});
