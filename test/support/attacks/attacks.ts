/** The attacks, each with the bound that it meets; docs/operating.md, Limits. */
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Attack, AttackTarget, Visit } from './attack.ts';
import { addressAt, openContent, trickle, visitAll } from './attack.ts';

/** What the attacks expect of the gateway's configuration: the bounds, made small. */
export const attackedGateway = {
  limits: {
    sessionsMax: 150,
    sessionsPerAddressMax: 30,
    sessionsPerAddressPerMinute: 300,
    handshakesPerAddressPerMinute: 60,
    authFailuresPerAddressPerHour: 12,
  },
  timeouts: { server: { command: '2s', data: '2s', handshake: '2s', session: '1m' } },
} as const;

const endsWithinMs = 8000;
/** A content is judged by its speed after 30 s. */
const slowContentMs = 40_000;

const many = (count: number, visit: (index: number) => Visit): readonly Visit[] =>
  Array.from({ length: count }, (_, index) => visit(index));

const silent = async (): Promise<void> => undefined;

function onMx(target: AttackTarget, localAddress: string, act: Visit['act']): Visit {
  return { connect: { port: target.mx, localAddress }, act, endsWithinMs };
}

const slowCommands: Attack = {
  name: 'slow commands',
  what: 'commands that come octet by octet and never end',
  run: (target, scale) =>
    visitAll(
      many(40 * scale, (index) =>
        onMx(target, addressAt(1, index), async (client) => {
          await client.expect(220);
          await client.send('EHLO ');
          await trickle(client, () => 'a', { everyMs: 250, forMs: endsWithinMs });
        }),
      ),
      120,
    ),
};

/** Begins first and ends last, beside all others. */
export const slowContent: Attack = {
  name: 'slow content',
  what: 'contents that come octet by octet, each in time',
  run: (target, scale) =>
    visitAll(
      many(20 * scale, (index) =>
        onMx(target, addressAt(2, index), async (client) => {
          await openContent(client, target.recipient);
          await trickle(client, () => 'a', { everyMs: 500, forMs: slowContentMs });
        }),
      ),
      20 * scale,
    ),
};

const idleSessions: Attack = {
  name: 'idle sessions',
  what: 'more sessions than there may be, all silent',
  run: (target, scale) =>
    visitAll(
      many(250 * scale, (index) => onMx(target, addressAt(3, index), silent)),
      250,
    ),
};

const sessionsOfOne: Attack = {
  name: 'many sessions of one address',
  what: 'more sessions at once than an address may have',
  run: (target) =>
    visitAll(
      many(100, () => onMx(target, addressAt(4, 0), silent)),
      100,
    ),
};

const sessionStorm: Attack = {
  name: 'session storm',
  what: 'one address opens session after session, and speaks before it is greeted',
  run: (target, scale) =>
    visitAll(
      many(400 * scale, () => onMx(target, addressAt(5, 0), (client) => client.send('QUIT\r\n'))),
      10,
    ),
};

const handshakeStorm: Attack = {
  name: 'handshake storm by STARTTLS',
  what: 'one address begins one handshake after another',
  run: (target, scale) =>
    visitAll(
      many(100 * scale, () =>
        onMx(target, addressAt(6, 0), async (client) => {
          await client.expect(220);
          await client.command('EHLO attacker.test', 250);
          const { code } = await client.command('STARTTLS');
          if (code !== 220) return;
          await client.startTls();
          await client.command('QUIT', 221);
        }),
      ),
      8,
    ),
};

const implicitStorm: Attack = {
  name: 'handshake storm on the TLS port',
  what: 'one address begins one handshake after another',
  run: (target, scale) =>
    visitAll(
      many(100 * scale, () => ({
        connect: { port: target.implicit, localAddress: addressAt(7, 0), implicitTls: {} },
        act: async (client) => {
          await client.expect(220);
          await client.command('QUIT', 221);
        },
        endsWithinMs,
      })),
      8,
    ),
};

const halfHandshakes: Attack = {
  name: 'half handshakes',
  what: 'handshakes that are begun and left, on the TLS port',
  run: (target, scale) =>
    visitAll(
      many(60 * scale, (index) => ({
        connect: { port: target.implicit, localAddress: addressAt(8, index) },
        // The head of a record of 512 octets that never comes.
        act: (client) => client.send(Buffer.from([22, 3, 1, 2, 0, 1])),
        endsWithinMs,
      })),
      60,
    ),
};

const guesses = (target: AttackTarget, localAddress: string, user: string): Visit => ({
  connect: { port: target.submissions, localAddress, implicitTls: {} },
  act: async (client) => {
    await client.expect(220);
    await client.command('EHLO attacker.test', 250);
    for (let count = 0; count < 5; count += 1) {
      const guess = Buffer.from(`\0${user}\0guess-${count}`).toString('base64');
      await client.command(`AUTH PLAIN ${guess}`);
    }
  },
  endsWithinMs,
});

const guessing: Attack = {
  name: 'AUTH guessing',
  what: 'one address guesses passwords of accounts that are and are not',
  run: (target, scale) =>
    visitAll(
      many(8 * scale, (index) => guesses(target, addressAt(9, 0), `guessed-${index}`)),
      4,
    ),
};

const harvesting: Attack = {
  name: 'RCPT harvesting',
  what: 'one recipient after another that does not exist',
  run: (target, scale) =>
    visitAll(
      many(10 * scale, (index) =>
        onMx(target, addressAt(10, index), async (client) => {
          await client.expect(220);
          const names = Array.from(
            { length: 150 },
            (_, name) => `RCPT TO:<n${name}@example.test>\r\n`,
          );
          await client.send(
            `EHLO attacker.test\r\nMAIL FROM:<a@attacker.test>\r\n${names.join('')}`,
          );
        }),
      ),
      10,
    ),
};

const headerBomb = (name: string, header: () => string): Attack => ({
  name: `header bomb: ${name}`,
  what: 'a header that is larger than any',
  run: (target, scale) =>
    visitAll(
      many(10 * scale, (index) =>
        onMx(target, addressAt(11, index), async (client) => {
          await openContent(client, target.recipient);
          await client.send(`${header()}\r\n\r\n.\r\n`);
          await client.reply();
          client.end();
        }),
      ),
      5,
    ),
});

const commandFlood: Attack = {
  name: 'command flood',
  what: 'a hundred thousand commands in one flight, replies not read',
  run: (target, scale) =>
    visitAll(
      many(5 * scale, (index) =>
        onMx(target, addressAt(12, index), async (client) => {
          await client.expect(220);
          await client.send('NOOP\r\n'.repeat(100_000));
        }),
      ),
      5,
    ),
};

const earlyTalk: Attack = {
  name: 'early talk',
  what: 'commands before the greeting',
  run: (target, scale) =>
    visitAll(
      many(20 * scale, (index) =>
        onMx(target, addressAt(13, index), (client) => client.send('EHLO attacker.test\r\n')),
      ),
      20,
    ),
};

const giantChunk: Attack = {
  name: 'giant chunks',
  what: 'BDAT that announces more than the gateway takes',
  run: (target, scale) =>
    visitAll(
      many(20 * scale, (index) =>
        onMx(target, addressAt(14, index), async (client) => {
          await client.expect(220);
          await client.command('EHLO attacker.test', 250);
          await client.command('MAIL FROM:<a@attacker.test>', 250);
          await client.command(`RCPT TO:<${target.recipient}>`, 250);
          await client.send(`BDAT 999999999999 LAST\r\n${'x'.repeat(100_000)}`);
        }),
      ),
      20,
    ),
};

/** Sessions that end without a FIN that we would see in time: the gateway's own clock must do. */
const halfOpen: Attack = {
  name: 'half-open sessions',
  what: 'clients that half-close or go away in the middle of a transaction',
  run: async (target, scale) => {
    const answers = await visitAll(
      many(40 * scale, (index) =>
        onMx(target, addressAt(15, index), async (client) => {
          await openContent(client, target.recipient);
          await client.send('Subject: never whole\r\n\r\nhalf a mess');
          if (index % 2 === 0) client.end();
          else client.reset();
        }),
      ),
      20,
    );
    return answers;
  },
};

/** TCP alone, as of a port scan: no octet is ever sent or read. */
const scans: Attack = {
  name: 'port scans',
  what: 'connections that are opened and closed at once',
  run: async (target, scale) => {
    let count = 0;
    for (let index = 0; index < 200 * scale; index += 1) {
      const socket = net.connect({
        port: index % 2 === 0 ? target.mx : target.implicit,
        host: '127.0.0.1',
        localAddress: addressAt(16, index),
      });
      socket.on('error', () => undefined);
      socket.on('connect', () => socket.destroy());
      count += 1;
      if (index % 20 === 0) await sleep(5);
    }
    return { closed: count };
  },
};

/** In the order in which they are made. `meets`: the bound's last word first, then those of visits within it. */
export const attacks: readonly (Attack & { readonly meets: readonly string[] })[] = [
  { ...slowCommands, meets: ['421 4.4.2'] },
  { ...idleSessions, meets: ['421 4.3.2', '421 4.4.2', 'closed'] },
  { ...sessionsOfOne, meets: ['421 4.7.0', '421 4.4.2'] },
  { ...sessionStorm, meets: ['421 4.7.0', '554 5.5.1'] },
  { ...handshakeStorm, meets: ['421 4.7.0', '221 2.0.0'] },
  { ...implicitStorm, meets: ['closed', '221 2.0.0'] },
  { ...halfHandshakes, meets: ['closed'] },
  { ...guessing, meets: ['421 4.7.0'] },
  { ...harvesting, meets: ['421 4.7.0'] },
  {
    ...headerBomb('octets', () => `X-Bomb: ${'x'.repeat(60_000)}\r\n`.repeat(6)),
    meets: ['552 5.3.4'],
  },
  { ...headerBomb('fields', () => 'X-Bomb: x\r\n'.repeat(5000)), meets: ['552 5.3.4'] },
  { ...commandFlood, meets: ['421 4.7.0'] },
  { ...earlyTalk, meets: ['554 5.5.1'] },
  { ...giantChunk, meets: ['552 5.3.4'] },
  { ...halfOpen, meets: ['354'] },
  { ...scans, meets: ['closed'] },
];
