/** Routes, candidates and outcomes, against fake partners on loopback. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import {
  delivery,
  onlyRoute,
  outcomesOf,
  partnerTls,
  partnerZone,
  secretContent,
  singleZone,
  startRig,
  toPartner,
} from '../../test/support/delivery-rig.ts';
import type { Rig, RigOptions } from '../../test/support/delivery-rig.ts';
import type { FakePartnerOptions } from '../testing/fake-partner.ts';
import { startMiddlebox } from '../../test/support/middlebox.ts';
import { address } from '../../test/support/policy.ts';
import { removeDirectory } from '../../test/support/tls-ends.ts';
import type { FakeEntry } from '../dns/fake-zone.ts';
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import type { Outcome } from '../policy/outcome.ts';
import { dialTcp } from './dial.ts';

after(removeDirectory);

async function withRig(options: RigOptions, use: (rig: Rig) => Promise<void>): Promise<void> {
  const rig = await startRig(options);
  try {
    await use(rig);
  } finally {
    await rig.close();
  }
}

function summary(outcome: Outcome): string {
  const cause = outcome.kind === 'delivered' ? '' : ` ${outcome.cause}`;
  return `${outcome.kind} ${formatEnhancedStatus(outcome.status)}${cause}`;
}

const b = address('b@partner.test');
const c = address('c@partner.test');

describe('without a host to send to', () => {
  const mx = (exchange: string, preference = 10): FakeEntry => ({ mx: [{ preference, exchange }] });
  const cases: readonly [string, Record<string, FakeEntry>, string, RegExp][] = [
    ['bounces for a domain that does not exist', {}, 'bounced 5.1.2 dns', /does not exist/],
    [
      'bounces for a domain without MX and address',
      { 'partner.test': {} },
      'bounced 5.4.4 dns',
      /has no address/,
    ],
    ['bounces for a null MX', { 'partner.test': mx('') }, 'bounced 5.1.10 dns', /null MX/],
    [
      'bounces where its own name is the best MX',
      { 'partner.test': mx('mx.example.test'), 'mx.example.test': { a: ['192.0.2.9'] } },
      'bounced 5.4.6 policy',
      /loop/,
    ],
    [
      'defers where DNS fails',
      { 'partner.test': { failures: { MX: 'servfail' } } },
      'deferred 4.4.312 dns',
      /DNS query failed/,
    ],
    [
      'defers where the MX host does not resolve',
      { 'partner.test': mx('mx.partner.test') },
      'deferred 4.4.312 dns',
      /mx.partner.test does not exist/,
    ],
    [
      'defers where every address is forbidden',
      {
        'partner.test': mx('mx.partner.test'),
        'mx.partner.test': { a: ['127.0.0.1', '10.0.0.1'] },
      },
      'deferred 4.4.4 policy',
      /network.allow/,
    ],
  ];
  for (const [fact, zone, expected, reason] of cases) {
    test(fact, () =>
      withRig({ zone }, async (rig) => {
        const [outcome] = outcomesOf(await rig.room.attempt(delivery()));
        assert.equal(summary(outcome!), expected, outcome!.reason);
        assert.match(outcome!.reason, reason);
      }),
    );
  }

  test('bounces where its own listener stands among the best MX addresses', async () => {
    const ownAddresses = () => [{ address: '192.0.2.1', port: 25 }];
    await withRig({ zone: partnerZone, services: { ownAddresses } }, async (rig) => {
      const second = await rig.partner('192.0.2.2');
      const [outcome] = outcomesOf(await rig.room.attempt(delivery()));
      assert.equal(summary(outcome!), 'bounced 5.4.6 policy');
      assert.equal(second.connections.length, 0);
    });
  });

  test('uses the hosts that are better than its own', async () => {
    const ownAddresses = () => [{ address: '192.0.2.2', port: 25 }];
    await withRig({ zone: partnerZone, services: { ownAddresses } }, async (rig) => {
      const [outcome] = outcomesOf(await rig.room.attempt(delivery()));
      assert.equal(summary(outcome!), 'deferred 4.4.316 connect');
      assert.equal(outcome!.remoteMta!.hostName, 'mx.partner.test');
    });
  });
});

describe('from host to host', () => {
  const failures: readonly [string, FakePartnerOptions, string][] = [
    ['refuses in its greeting', { greeting: '554 5.7.1 go away' }, 'deferred 4.0.0 peer-reply'],
    ['closes at once', { greeting: 'drop' }, 'deferred 4.4.318 connection-lost'],
    [
      'refuses EHLO for now',
      { reply: ({ command }) => (command === 'EHLO' ? '421 4.3.2 busy' : null) },
      'deferred 4.3.2 peer-reply',
    ],
    [
      'refuses MAIL for now',
      { reply: ({ command }) => (command === 'MAIL' ? '451 4.7.1 later' : null) },
      'deferred 4.7.1 peer-reply',
    ],
    [
      'closes in the middle of the envelope',
      { reply: ({ command }) => (command === 'RCPT' ? 'close' : null) },
      'deferred 4.4.318 connection-lost',
    ],
    [
      'refuses the recipient for now',
      { reply: ({ command }) => (command === 'RCPT' ? '450 4.2.0 greylisted' : null) },
      'deferred 4.2.0 peer-reply',
    ],
    [
      'refuses the content for now',
      { reply: ({ command }) => (command === 'dot' ? '452 4.3.1 full' : null) },
      'deferred 4.3.1 peer-reply',
    ],
  ];
  for (const [what, options, expected] of failures) {
    test(`turns to the next where the first ${what}`, () =>
      withRig({ zone: partnerZone }, async (rig) => {
        await rig.partner('192.0.2.1', options);
        const alone = outcomesOf(await rig.room.attempt(delivery()))[0]!;
        assert.equal(summary(alone), expected);
        assert.equal(alone.remoteMta!.address, '192.0.2.1');
        const second = await rig.partner('192.0.2.2');
        const report = await rig.room.attempt(delivery());
        assert.equal(summary(outcomesOf(report)[0]!), 'delivered 2.0.0');
        assert.equal(second.messages.length, 1);
        assert.deepEqual(
          onlyRoute(report).candidates.map(({ hostName }) => hostName),
          ['mx.partner.test', 'mx2.partner.test'],
        );
      }));
  }

  test('stops where the content may have arrived, and says that a duplicate may come', () =>
    withRig({ zone: partnerZone }, async (rig) => {
      const reply: FakePartnerOptions['reply'] = ({ command }) =>
        command === 'dot' ? 'drop' : null;
      await rig.partner('192.0.2.1', { reply });
      const second = await rig.partner('192.0.2.2');
      const [outcome] = outcomesOf(await rig.room.attempt(delivery()));
      assert.equal(summary(outcome!), 'deferred 4.4.318 connection-lost');
      assert.match(outcome!.reason, /duplicate/);
      assert.equal(second.connections.length, 0);
    }));

  test('bounces at once for 5yz to RCPT, MAIL or the content', async () => {
    for (const at of ['RCPT', 'MAIL', 'dot']) {
      await withRig({ zone: partnerZone }, async (rig) => {
        await rig.partner('192.0.2.1', {
          reply: ({ command }) => (command === at ? '550 5.7.1 \u001b[31mno' : null),
        });
        const second = await rig.partner('192.0.2.2');
        const [outcome] = outcomesOf(await rig.room.attempt(delivery()));
        assert.equal(summary(outcome!), 'bounced 5.7.1 peer-reply');
        assert.deepEqual(outcome!.reply!.lines, ['?[31mno']);
        assert.equal(second.connections.length, 0);
      });
    }
  });

  test('gives each recipient its own outcome, from whichever host', () =>
    withRig({ zone: partnerZone }, async (rig) => {
      const d = address('d@partner.test');
      await rig.partner('192.0.2.1', {
        reply: ({ command, line }) => {
          if (command !== 'RCPT') return null;
          if (line.includes('<b@')) return '550 5.1.1 no such user';
          return line.includes('<c@') ? '452 4.2.2 full' : null;
        },
      });
      const second = await rig.partner('192.0.2.2');
      const report = await rig.room.attempt(delivery({ recipients: [b, c, d] }));
      assert.deepEqual(outcomesOf(report).map(summary), [
        'bounced 5.1.1 peer-reply',
        'delivered 2.0.0',
        'delivered 2.0.0',
      ]);
      assert.deepEqual(second.messages[0]!.recipients, ['c@partner.test']);
    }));

  test('counts a server that demands TLS without offering it as unreachable', () =>
    withRig({ zone: singleZone }, async (rig) => {
      await rig.partner('192.0.2.1', {
        reply: ({ command }) => (command === 'MAIL' ? '530 5.7.0 Must issue STARTTLS' : null),
      });
      const [outcome] = outcomesOf(await rig.room.attempt(delivery()));
      assert.equal(summary(outcome!), 'deferred 4.4.317 tls-not-offered');
    }));

  test('shows a failure of TLS rather than that the next host was down', () =>
    withRig(
      { zone: partnerZone, connectors: [toPartner({ tlsSettings: 'EncryptionOnly' })] },
      async (rig) => {
        await rig.partner('192.0.2.1');
        const report = await rig.room.attempt(delivery());
        assert.equal(summary(outcomesOf(report)[0]!), 'deferred 4.4.317 tls-not-offered');
        assert.equal(onlyRoute(report).candidates.length, 2);
      },
    ));

  test('takes the domain itself where it has no MX, and both families by turns', async () => {
    const zone = {
      'partner.test': { a: ['192.0.2.1', '192.0.2.3', '192.0.2.4'], aaaa: ['2001:db8:1::1'] },
    };
    const dialled: string[] = [];
    const dial = (to: string): Promise<never> => {
      dialled.push(to);
      return Promise.reject(Object.assign(new Error('no'), { code: 'ENETUNREACH' }));
    };
    const guard = {
      allow: ['0.0.0.0/0', '::/0'],
      allowPorts: [],
      smartHostsSetBy: 'gateway',
    } as const;
    await withRig({ zone, services: { dial, guard } }, async (rig) => {
      const [outcome] = outcomesOf(await rig.room.attempt(delivery()));
      assert.equal(summary(outcome!), 'deferred 4.4.317 connect');
      assert.deepEqual(dialled, ['2001:db8:1::1', '192.0.2.1', '192.0.2.3']);
    });
  });
});

describe('smart hosts', () => {
  const to = (...hosts: { host: string; port: number }[]) =>
    toPartner({ route: { kind: 'smart-hosts', hosts } });

  test('are tried in their order, by name or address, and any domain goes there together', async () => {
    const zone = { 'smart.test': { a: ['192.0.2.1'] } };
    const connector = to({ host: 'smart.test', port: 25 }, { host: '192.0.2.2', port: 25 });
    const recipientDomains = [{ kind: 'any' } as const];
    await withRig({ zone, connectors: [{ ...connector, recipientDomains }] }, async (rig) => {
      const second = await rig.partner('192.0.2.2', { tls: partnerTls.trusted });
      const recipients = [b, address('x@other.test')];
      const report = await rig.room.attempt(delivery({ recipients }));
      assert.deepEqual(outcomesOf(report).map(summary), ['delivered 2.0.0', 'delivered 2.0.0']);
      assert.deepEqual(
        report.routes.map(({ decision }) => decision.recipientDomain),
        ['partner.test', 'other.test'],
      );
      assert.equal(second.messages.length, 1);
      assert.equal(second.connections[0]!.tls!.sni, null);
    });
  });

  test('speak TLS from the first byte on port 465', async () => {
    const zone = { 'smart.test': { a: ['192.0.2.1'] } };
    await withRig({ zone, connectors: [to({ host: 'smart.test', port: 465 })] }, async (rig) => {
      const partner = await rig.partner('192.0.2.1', {
        tls: partnerTls.trusted,
        isImplicitTls: true,
      });
      const report = await rig.room.attempt(delivery());
      assert.equal(summary(outcomesOf(report)[0]!), 'delivered 2.0.0');
      assert.equal(partner.connections[0]!.clear.length, 0);
      assert.equal(onlyRoute(report).candidates[0]!.evidence!.tls!.mode, 'implicit');
    });
  });

  test('that do not exist defer, they never bounce', () =>
    withRig({ connectors: [to({ host: 'gone.test', port: 25 })] }, async (rig) => {
      const [outcome] = outcomesOf(await rig.room.attempt(delivery()));
      assert.equal(summary(outcome!), 'deferred 4.4.312 dns');
    }));

  test('of an organization do not lead into our network or to odd ports', async () => {
    for (const host of [
      { host: '127.0.0.1', port: 25 },
      { host: '10.1.2.3', port: 25 },
      { host: '192.0.2.1', port: 22 },
    ]) {
      await withRig({ connectors: [to(host)] }, async (rig) => {
        const [outcome] = outcomesOf(await rig.room.attempt(delivery()));
        assert.equal(outcome!.kind, 'deferred');
        assert.match(outcome!.reason, /network.allow/);
      });
    }
  });
});

describe('opportunistic TLS', () => {
  const tls = partnerTls.selfSigned;

  test('goes in clear where none is offered, and logs domain and reason', () =>
    withRig({ zone: singleZone }, async (rig) => {
      const partner = await rig.partner('192.0.2.1');
      assert.equal(outcomesOf(await rig.room.attempt(delivery()))[0]!.kind, 'delivered');
      assert.equal(partner.messages[0]!.content.toString(), secretContent);
      const [entry] = rig.logged;
      assert.equal(entry!.text, 'delivered in clear text');
      assert.equal(entry!.fields['domain'], 'partner.test');
      assert.equal(entry!.fields['reason'], 'not-offered');
    }));

  for (const starttls of ['refused', 'cut', 'not-tls', 'injects'] as const) {
    test(`does not go in clear where STARTTLS is offered and fails (${starttls})`, () =>
      withRig({ zone: partnerZone }, async (rig) => {
        const first = await rig.partner('192.0.2.1', { tls, starttls });
        const alone = await rig.room.attempt(delivery());
        assert.equal(outcomesOf(alone)[0]!.kind, 'deferred');
        assert.equal(onlyRoute(alone).hasFailedTlsOnly, true);
        const second = await rig.partner('192.0.2.2', { tls });
        assert.equal(outcomesOf(await rig.room.attempt(delivery()))[0]!.kind, 'delivered');
        assert.equal(second.messages[0]!.isTls, true);
        for (const { clear } of first.connections) {
          assert.doesNotMatch(clear.toString('latin1'), /MAIL|RCPT|secret/);
        }
      }));
  }

  const minutes = 60_000;
  const twice = [Date.now() - 31 * minutes, Date.now() - 15 * minutes];

  test('goes in clear on a new connection after two failures, only where that is allowed', async () => {
    for (const clearTextAfterFailedTls of [true, false]) {
      await withRig({ zone: singleZone, clearTextAfterFailedTls }, async (rig) => {
        const partner = await rig.partner('192.0.2.1', { tls, starttls: 'refused' });
        const early = await rig.room.attempt(delivery({ failedTlsAtMs: twice.slice(1) }));
        assert.equal(outcomesOf(early)[0]!.kind, 'deferred');
        const report = await rig.room.attempt(delivery({ failedTlsAtMs: twice }));
        const expected = clearTextAfterFailedTls ? 'delivered' : 'deferred';
        assert.equal(outcomesOf(report)[0]!.kind, expected);
        assert.equal(partner.messages.length, clearTextAfterFailedTls ? 1 : 0);
        if (!clearTextAfterFailedTls) return;
        const [failed, sent] = onlyRoute(report).candidates;
        assert.equal(failed!.evidence!.encryption, 'refused');
        assert.equal(sent!.evidence!.encryption, 'not-used');
        assert.equal(partner.messages[0]!.connection, 2);
        assert.equal(rig.logged[0]!.fields['reason'], 'clear-text-after-failed-tls');
      });
    }
  });

  test('never goes in clear with a floor or a requirement, whatever the setting', async () => {
    const connectors = [
      toPartner({ tlsSettings: 'EncryptionOnly', clearTextAfterFailedTls: true }),
    ];
    await withRig({ zone: singleZone, connectors, clearTextAfterFailedTls: true }, async (rig) => {
      const partner = await rig.partner('192.0.2.1', { tls, starttls: 'cut' });
      const report = await rig.room.attempt(delivery({ failedTlsAtMs: twice }));
      assert.equal(outcomesOf(report)[0]!.kind, 'deferred');
      assert.equal(partner.messages.length, 0);
    });
  });

  test('is tried once more with a small ClientHello where the large one finds silence', () =>
    withRig({ zone: singleZone }, async (rig) => {
      const partner = await rig.partner('192.0.2.1', { tls });
      const middlebox = await startMiddlebox(partner.port, 1400);
      const { port } = middlebox.address() as { port: number };
      const other = await startRig({
        zone: singleZone,
        services: { dial: (_to, _port, local, ms) => dialTcp('127.0.0.1', port, local, ms) },
      });
      const report = await other.room.attempt(delivery());
      assert.equal(outcomesOf(report)[0]!.kind, 'delivered', outcomesOf(report)[0]!.reason);
      const [large, small] = onlyRoute(report).candidates;
      assert.equal(large!.evidence!.encryption, 'failed');
      assert.equal(small!.evidence!.encryption, 'established');
      await other.room.retire(() => assert.fail('nothing is under way'));
      await other.close();
      middlebox.close();
    }));
});

describe('connections', () => {
  test('are used again, few for many messages, and each message arrives once', () =>
    withRig({ zone: singleZone }, async (rig) => {
      const extensions = ['PIPELINING', 'CHUNKING', 'SIZE 100000', '8BITMIME'];
      const partner = await rig.partner('192.0.2.1', { tls: partnerTls.trusted, extensions });
      const bodies = Array.from({ length: 200 }, (_, i) => `Subject: ${i}\r\n\r\n.x\r\n`);
      const reports = await Promise.all(
        bodies.map((text) =>
          rig.room.attempt(delivery({ content: { kind: 'memory', bytes: Buffer.from(text) } })),
        ),
      );
      assert(reports.every((report) => outcomesOf(report)[0]!.kind === 'delivered'));
      assert.equal(partner.connections.length, 5);
      const arrived = partner.messages.map(({ content }) => content.toString());
      assert.deepEqual(arrived.sort(), bodies.sort());
      assert.deepEqual(
        partner.connections.flatMap(({ violations }) => violations),
        [],
      );
      assert.deepEqual(rig.room.counts(), {
        attempts: 0,
        connections: 5,
        idle: 5,
        dialling: 0,
        waiting: 0,
        destinations: 1,
      });
    }));

  test('that died while they were idle cost nothing but another', () =>
    withRig({ zone: singleZone }, async (rig) => {
      const partner = await rig.partner('192.0.2.1', {
        tls: partnerTls.trusted,
        reply: ({ command, connection, count }) =>
          command === 'MAIL' && connection === 0 && count === 1 ? 'drop' : null,
      });
      assert.equal(outcomesOf(await rig.room.attempt(delivery()))[0]!.kind, 'delivered');
      const report = await rig.room.attempt(delivery());
      assert.equal(outcomesOf(report)[0]!.kind, 'delivered');
      assert.equal(onlyRoute(report).candidates.length, 1);
      assert.equal(partner.connections.length, 2);
    }));

  test('end after as many transactions as they may carry', () =>
    withRig({ zone: singleZone, limits: { transactionsPerConnectionMax: 2 } }, async (rig) => {
      const partner = await rig.partner('192.0.2.1', { tls: partnerTls.trusted });
      for (let i = 0; i < 5; i++) await rig.room.attempt(delivery());
      assert.equal(partner.messages.length, 5);
      assert.equal(partner.connections.length, 3);
    }));

  test('end when they are idle for long enough', () =>
    withRig({ zone: singleZone, limits: { idleMs: 20 } }, async (rig) => {
      const partner = await rig.partner('192.0.2.1');
      await rig.room.attempt(delivery());
      await partner.waitUntil(({ connections }) => !connections[0]!.isOpen);
      assert.equal(rig.room.counts().connections, 0);
    }));

  test('are no more than the peer takes', () =>
    withRig({ zone: singleZone }, async (rig) => {
      const partner = await rig.partner('192.0.2.1', {
        reply: ({ command, connection }) =>
          command === 'EHLO' && connection > 0 ? '421 4.7.0 too many connections' : null,
      });
      await rig.room.attempt(delivery());
      const reports = await Promise.all([1, 2, 3, 4].map(() => rig.room.attempt(delivery())));
      assert(reports.every((report) => outcomesOf(report)[0]!.kind === 'delivered'));
      assert.equal(partner.messages.length, 5);
    }));

  test('to a dead host fail for all that wait, not one after the other', () =>
    withRig({ zone: singleZone }, async (rig) => {
      const reports = await Promise.all(
        Array.from({ length: 50 }, () => rig.room.attempt(delivery())),
      );
      for (const report of reports) {
        assert.equal(summary(outcomesOf(report)[0]!), 'deferred 4.4.316 connect');
      }
    }));

  test('beyond the bound of those who wait defers at once', async () => {
    const limits = { waitersPerDestinationMax: 3, connectionsPerDestinationMax: 1 };
    await withRig({ zone: singleZone, limits }, async (rig) => {
      await rig.partner('192.0.2.1', { greetingDelayMs: 50 });
      const reports = await Promise.all(
        Array.from({ length: 9 }, () => rig.room.attempt(delivery())),
      );
      const kinds = reports.map((report) => summary(outcomesOf(report)[0]!));
      assert.equal(kinds.filter((kind) => kind === 'delivered 2.0.0').length, 3);
      assert.equal(kinds.filter((kind) => kind === 'deferred 4.3.2 local').length, 6);
    });
  });

  test('stop: what runs may end, what comes is deferred', () =>
    withRig({ zone: singleZone }, async (rig) => {
      const partner = await rig.partner('192.0.2.1', {
        reply: async ({ command }) => {
          if (command === 'dot') await new Promise((resolve) => setTimeout(resolve, 50));
          return null;
        },
      });
      const running = rig.room.attempt(delivery());
      await partner.waitUntil(({ connections }) =>
        connections.some(({ clear }) => clear.includes('\r\n.\r\n')),
      );
      const stopped = rig.room.stop(1_000);
      const late = await rig.room.attempt(delivery());
      assert.equal(summary(outcomesOf(late)[0]!), 'deferred 4.3.2 local');
      assert.equal(outcomesOf(await running)[0]!.kind, 'delivered');
      await stopped;
      assert.equal(rig.room.counts().connections, 0);
    }));

  test('stop: what hangs is cut after the grace', () =>
    withRig({ zone: singleZone }, async (rig) => {
      await rig.partner('192.0.2.1', { greeting: 'silence' });
      const running = rig.room.attempt(delivery());
      await new Promise((resolve) => setTimeout(resolve, 20));
      await rig.room.stop(10);
      assert.equal(outcomesOf(await running)[0]!.kind, 'deferred');
    }));
});

describe('content', () => {
  test('from a spool file is streamed from its offset, by DATA and by BDAT', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'postern-spool-'));
    const text = `Subject: big\r\n\r\n${'.line of content\r\n'.repeat(60_000)}`;
    const path = join(directory, 'spool');
    await writeFile(path, `HEADER!!${text}`);
    for (const extensions of [['PIPELINING'], ['PIPELINING', 'CHUNKING'], []]) {
      await withRig({ zone: singleZone }, async (rig) => {
        const partner = await rig.partner('192.0.2.1', { tls: partnerTls.trusted, extensions });
        const content = { kind: 'spool', path, offset: 8, sizeBytes: text.length } as const;
        const report = await rig.room.attempt(delivery({ content }));
        assert.equal(outcomesOf(report)[0]!.kind, 'delivered', outcomesOf(report)[0]!.reason);
        assert.equal(partner.messages[0]!.content.toString(), text);
      });
    }
    await rm(directory, { recursive: true });
  });

  test('of a spool file that is gone defers and ends the connection', () =>
    withRig({ zone: singleZone }, async (rig) => {
      const partner = await rig.partner('192.0.2.1');
      const content = { kind: 'spool', path: '/nonexistent', offset: 8, sizeBytes: 100 } as const;
      const [outcome] = outcomesOf(await rig.room.attempt(delivery({ content })));
      assert.equal(summary(outcome!), 'deferred 4.3.0 local');
      assert.equal(partner.messages.length, 0);
    }));

  test('to many recipients goes in transactions of bounded size', () =>
    withRig({ zone: singleZone, limits: { recipientsPerTransactionMax: 100 } }, async (rig) => {
      const partner = await rig.partner('192.0.2.1');
      const recipients = Array.from({ length: 250 }, (_, i) => address(`u${i}@partner.test`));
      const report = await rig.room.attempt(delivery({ recipients }));
      assert.equal(outcomesOf(report).filter(({ kind }) => kind === 'delivered').length, 250);
      assert.deepEqual(
        partner.messages.map((message) => message.recipients.length),
        [100, 100, 50],
      );
    }));
});
