/** What somebody in the way, or a host that is not the partner's, cannot do to forced mail. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  anchorsName,
  delivery,
  outcomesOf,
  partnerTls,
  partnerZone,
  singleZone,
  startRig,
  toPartner,
} from '../../test/support/delivery-rig.ts';
import type { FakePartnerOptions } from '../testing/fake-partner.ts';
import { address } from '../../test/support/policy.ts';
import { removeDirectory } from '../../test/support/tls-ends.ts';
import type { Outcome } from '../policy/outcome.ts';
import type { OutboundConnector } from '../policy/policy.ts';
import type { Target } from './connect.ts';
import { keyOf } from './destination.ts';
import { dialTcp } from './dial.ts';
import type { Dial } from './services.ts';

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

describe('a transaction that the server draws out', () => {
  const limits = { transactionMs: 100 };
  const recipients = Array.from({ length: 100 }, (_, i) => address(`r${i}@partner.test`));

  function assertTimedOut(outcome: Outcome | undefined, reason: RegExp): void {
    assert(outcome?.kind === 'deferred', outcome?.kind);
    assert.equal(outcome.cause, 'timeout', outcome.reason);
    assert.equal(outcome.status.class, 4);
    assert.equal(outcome.status.subject, 4);
    assert.match(outcome.reason, reason);
  }

  test('ends although each recipient is answered in time, and another host is asked', async () => {
    const rig = await startRig({ zone: partnerZone, limits });
    const slow = await rig.partner('192.0.2.1', {
      reply: async ({ command }) => {
        if (command === 'RCPT') await sleep(20);
        return null;
      },
    });
    const other = await rig.partner('192.0.2.2', { reply: ({ command }) => silentAt(command) });
    const report = await rig.room.attempt(delivery({ recipients }));
    await rig.close();
    for (const outcome of outcomesOf(report)) assertTimedOut(outcome, /longer than 0\.1 s/);
    assert.equal(slow.connections[0]!.isOpen, false);
    assert.equal(other.connections.length, 1);
  });

  test('ends with its attempt where more recipients wait for another one', async () => {
    let nowMs = Date.now();
    const rig = await startRig({
      zone: singleZone,
      limits: { ...limits, recipientsPerTransactionMax: 1 },
      services: { steadyNow: () => nowMs },
    });
    const partner = await rig.partner('192.0.2.1', {
      reply: ({ command }) => {
        if (command === 'RCPT') nowMs += 901_000;
        return silentAt(command);
      },
    });
    const two = recipients.slice(0, 2);
    const [first, second] = outcomesOf(await rig.room.attempt(delivery({ recipients: two })));
    await rig.close();
    assertTimedOut(first, /longer than/);
    assert.equal(second!.kind, 'deferred');
    assert.match(second!.reason, /the attempt took too long/);
    assert.equal(partner.connections.length, 1);
  });

  test('after its content may have arrived, which is said and not tried elsewhere', async () => {
    const rig = await startRig({ zone: partnerZone, limits });
    const reply: FakePartnerOptions['reply'] = ({ command }) =>
      command === 'dot' ? 'silence' : null;
    await rig.partner('192.0.2.1', { reply });
    const other = await rig.partner('192.0.2.2');
    const [outcome] = outcomesOf(await rig.room.attempt(delivery()));
    await rig.close();
    assertTimedOut(outcome, /longer than 0\.1 s .*may make a duplicate/);
    assert.equal(other.connections.length, 0);
  });

  test('ends although each block of the content is taken in time', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-slow-'));
    const file = join(folder, 'content');
    const line = Buffer.alloc(64, 'x');
    line.write('\r\n', 62);
    const bytes = Buffer.alloc(32 * 1024 * 1024, line);
    bytes.write('\r\n');
    await writeFile(file, bytes);
    const server = createServer(drainSlowly).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const dial: Dial = (_, __, local, timeoutMs) => dialTcp('127.0.0.1', port, local, timeoutMs);
    const rig = await startRig({ zone: singleZone, limits, services: { dial } });
    const sizeBytes = 32 * 1024 * 1024;
    const content = { kind: 'spool', path: file, offset: 0, sizeBytes } as const;
    const [outcome] = outcomesOf(await rig.room.attempt(delivery({ content })));
    await rig.close();
    server.close();
    await rm(folder, { recursive: true });
    assertTimedOut(outcome, /longer than 0\.1 s/);
    assert.doesNotMatch(outcome!.reason, /duplicate/);
  });
});

/** Never answers RCPT, nor anything behind it. */
function silentAt(command: string): Promise<null> | null {
  return command === 'RCPT' ? new Promise(() => undefined) : null;
}

/** An SMTP server of few words that takes some of the content every now and then. */
function drainSlowly(socket: Socket): void {
  socket.on('error', () => undefined);
  socket.write('220 mx.partner.test\r\n');
  socket.on('data', (bytes: Buffer) => {
    const text = bytes.toString('latin1');
    if (/^(EHLO|MAIL|RCPT)/.test(text)) socket.write('250 mx.partner.test\r\n');
    else if (text.startsWith('DATA')) socket.write('354 go on\r\n');
    else if (text.startsWith('QUIT')) socket.end();
    else {
      socket.pause();
      setTimeout(() => socket.resume(), 20);
    }
  });
}

describe('the key of a pool', () => {
  const target: Target = {
    organization: 'org',
    protocol: 'smtp',
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
    postQuantum: 'prefer',
  };
  const key = keyOf(target, null);

  test('parts what must not share a connection', () => {
    const others: readonly Partial<Target>[] = [
      { organization: 'other' },
      { protocol: 'lmtp' },
      { address: '192.0.2.2' },
      { port: 26 },
      { sni: 'mx.other.test' },
      { sni: null },
      { clientCertificate: 'ours' },
      { goesClear: true },
      { postQuantum: 'off' },
      { postQuantum: 'require' },
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
