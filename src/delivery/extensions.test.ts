/** What the next hop offers, and what becomes of mail that needs more. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import {
  delivery,
  onlyRoute,
  outcomesOf,
  partnerZone,
  singleZone,
  startRig,
  toPartner,
} from '../../test/support/delivery-rig.ts';
import type { Rig, RigOptions } from '../../test/support/delivery-rig.ts';
import { address } from '../../test/support/policy.ts';
import { removeDirectory } from '../../test/support/tls-ends.ts';
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import type { Content } from '../mail/content.ts';
import type { Outcome } from '../policy/outcome.ts';

after(removeDirectory);

async function withRig(options: RigOptions, use: (rig: Rig) => Promise<void>): Promise<void> {
  const rig = await startRig(options);
  try {
    await use(rig);
  } finally {
    await rig.close();
  }
}

function inMemory(text: string): Content {
  return { kind: 'memory', bytes: Buffer.from(text) };
}

function summary(outcome: Outcome): string {
  return `${outcome.kind} ${formatEnhancedStatus(outcome.status)}`;
}

const ascii = inMemory('Subject: x\r\n\r\nplain\r\n');
const eightBit = inMemory('Subject: x\r\n\r\nGrüße\r\n');
const utf8Header = inMemory('Subject: Grüße\r\n\r\nplain\r\n');
const b = address('b@partner.test');

describe('DSN', () => {
  const recipients = [{ ...b, notify: ['success'] as const }];
  const dsn = { ret: 'headers', envelopeId: 'E1' } as const;
  for (const [extensions, handedTo, mail, rcpt] of [
    [['PIPELINING', 'DSN'], 'relay-with-dsn', 'RET=HDRS ENVID=E1', 'NOTIFY=SUCCESS'],
    [['PIPELINING'], 'relay', '', ''],
  ] as const) {
    test(`a host that offers ${extensions.join(' and ')} is handed the mail as ${handedTo}`, () =>
      withRig({ zone: singleZone }, async (rig) => {
        const partner = await rig.partner('192.0.2.1', { extensions });
        const [outcome] = outcomesOf(await rig.room.attempt(delivery({ recipients, dsn })));
        assert.ok(outcome?.kind === 'delivered' && outcome.handedTo === handedTo);
        assert.equal(partner.messages[0]!.mailParameters, mail);
        assert.deepEqual(partner.messages[0]!.rcptParameters, [rcpt]);
        assert.deepEqual(partner.connections[0]!.violations, []);
      }));
  }
});

describe('a host that does not offer enough', () => {
  const cases = [
    [
      'SIZE',
      { content: inMemory('x'.repeat(200)) },
      ['SIZE 100'],
      '5.3.4',
      /200 bytes .* 100 bytes/,
    ],
    ['8BITMIME', { content: eightBit, bodyType: '8bitmime' }, [], '5.6.3', /not converted/],
    [
      'SMTPUTF8 for the header',
      { content: utf8Header, bodyType: '8bitmime', smtpUtf8: true },
      ['8BITMIME'],
      '5.6.7',
      /does not offer SMTPUTF8/,
    ],
    [
      'SMTPUTF8 for an address',
      { recipients: [{ localPart: 'ü', domain: 'partner.test' }], smtpUtf8: true },
      ['8BITMIME'],
      '5.6.7',
      /does not offer SMTPUTF8/,
    ],
  ] as const;
  for (const [what, part, extensions, code, reason] of cases) {
    test(`bounces at once: ${what}`, () =>
      withRig({ zone: singleZone }, async (rig) => {
        const partner = await rig.partner('192.0.2.1', { extensions });
        const outcome = outcomesOf(await rig.room.attempt(delivery(part)))[0]!;
        assert.equal(summary(outcome), `bounced ${code}`);
        assert.match(outcome.reason, /^mx\.partner\.test \[192\.0\.2\.1\]: /);
        assert.match(outcome.reason, reason);
        assert.doesNotMatch(partner.connections[0]!.clear.toString(), /MAIL/);
      }));

    test(`another host may take it: ${what}`, () =>
      withRig({ zone: partnerZone }, async (rig) => {
        await rig.partner('192.0.2.1', { extensions });
        const able = await rig.partner('192.0.2.2', {
          extensions: ['SIZE 1000', '8BITMIME', 'SMTPUTF8'],
        });
        const route = onlyRoute(await rig.room.attempt(delivery(part)));
        assert.equal(route.outcomes[0]!.outcome.kind, 'delivered');
        assert.equal(route.candidates.length, 2);
        assert.equal(able.messages.length, 1);
        assert.deepEqual(able.connections[0]!.violations, []);
      }));

    test(`waits for another host that is down: ${what}`, () =>
      withRig({ zone: partnerZone }, async (rig) => {
        await rig.partner('192.0.2.1', { extensions });
        const [outcome] = outcomesOf(await rig.room.attempt(delivery(part)));
        assert.equal(outcome?.kind, 'deferred');
      }));
  }
});

describe('what was declared and is not needed', () => {
  let folder = '';
  after(() => rm(folder, { recursive: true, force: true }));

  async function spooled(text: string): Promise<Content> {
    folder = await mkdtemp(join(tmpdir(), 'postern-needs-'));
    const path = join(folder, 'spool');
    await writeFile(path, `HEAD${text}`);
    return { kind: 'spool', path, offset: 4, sizeBytes: Buffer.byteLength(text) };
  }

  const long = `Subject: x\r\n\r\n${'plain\r\n'.repeat(60_000)}`;
  const declared = { bodyType: '8bitmime', smtpUtf8: true } as const;
  for (const [what, content] of [
    ['in memory', () => Promise.resolve(ascii)],
    ['in the spool', () => spooled(long)],
  ] as const) {
    test(`plain ASCII ${what} goes to a host without any extension`, () =>
      withRig({ zone: singleZone }, async (rig) => {
        const partner = await rig.partner('192.0.2.1', { extensions: [] });
        const message = delivery({ ...declared, content: await content() });
        const [outcome] = outcomesOf(await rig.room.attempt(message));
        assert.equal(outcome?.kind, 'delivered');
        assert.equal(partner.messages[0]!.mailParameters, '');
        assert.deepEqual(partner.connections[0]!.violations, []);
      }));
  }

  test('an 8-bit body needs no SMTPUTF8', () =>
    withRig({ zone: singleZone }, async (rig) => {
      const partner = await rig.partner('192.0.2.1', { extensions: ['8BITMIME'] });
      await rig.room.attempt(delivery({ ...declared, content: eightBit }));
      assert.equal(partner.messages[0]!.mailParameters, 'BODY=8BITMIME');
    }));

  test('a header beyond ASCII is seen in a spooled message too, whatever the blocks', async () => {
    const content = await spooled(`X: ${'a\r\n '.repeat(40_000)}ü\r\n\r\nbody\r\n`);
    await withRig({ zone: singleZone }, async (rig) => {
      await rig.partner('192.0.2.1', { extensions: ['8BITMIME'] });
      const outcome = outcomesOf(await rig.room.attempt(delivery({ ...declared, content })))[0]!;
      assert.equal(summary(outcome), 'bounced 5.6.7');
    });
  });
});

describe('a host that knows HELO only', () => {
  test('gets plain mail with no parameter', () =>
    withRig({ zone: singleZone }, async (rig) => {
      const partner = await rig.partner('192.0.2.1', { isEhloRefused: true });
      const route = onlyRoute(await rig.room.attempt(delivery({ content: ascii })));
      assert.equal(route.outcomes[0]!.outcome.kind, 'delivered');
      assert.equal(route.candidates[0]!.evidence?.encryption, 'not-offered');
      assert.match(
        partner.connections[0]!.clear.toString(),
        /^EHLO \S+\r\nHELO \S+\r\nMAIL FROM:<user@example\.test>\r\nRCPT TO:<b@partner\.test>\r\nDATA/,
      );
    }));

  test('gets nothing where TLS is required', () =>
    withRig(
      { zone: singleZone, connectors: [toPartner({ tlsSettings: 'EncryptionOnly' })] },
      async (rig) => {
        const partner = await rig.partner('192.0.2.1', { isEhloRefused: true });
        const [outcome] = outcomesOf(await rig.room.attempt(delivery()));
        assert.ok(outcome?.kind === 'deferred' && outcome.cause === 'tls-not-offered');
        assert.doesNotMatch(partner.connections[0]!.clear.toString(), /MAIL|secret/);
      },
    ));
});
