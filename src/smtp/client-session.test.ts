import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { ClientSession } from './client-session.ts';
import type { SessionTap } from './client-session.ts';
import { defaultClientTimeouts } from './client-timeouts.ts';
import type { ClientTimeouts } from './client-timeouts.ts';

interface Setup {
  readonly session: ClientSession;
  readonly theirs: Duplex;
  readonly heard: () => string;
}

function connect(timeouts: Partial<ClientTimeouts> = {}, tap?: SessionTap): Setup {
  const [ours, theirs] = duplexPair();
  const parts: Buffer[] = [];
  theirs.on('data', (bytes: Buffer) => parts.push(bytes));
  theirs.on('error', () => undefined);
  const session = new ClientSession(ours, {
    protocol: 'smtp',
    connectionId: 'c1',
    ownName: 'us.example',
    timeouts: { ...defaultClientTimeouts, quitMs: 20, ...timeouts },
    transactionsInFlightMax: 2,
    ...(tap === undefined ? {} : { tap }),
  });
  return { session, theirs, heard: () => Buffer.concat(parts).toString('latin1') };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Greeted, and EHLO answered with these lines. */
async function greeted(setup: Setup, ...ehlo: string[]): Promise<void> {
  const greeting = setup.session.readGreeting();
  setup.theirs.write('220 them\r\n');
  await greeting;
  const hello = setup.session.hello();
  setup.theirs.write(ehlo.map((line) => `${line}\r\n`).join(''));
  await hello;
}

test('reads what EHLO offers, in any case, and never from the first line', async () => {
  const setup = connect();
  const lines = ['250-STARTTLS', '250-size 1000', '250-Pipelining', '250-8BITMIME', '250 CHUNKING'];
  await greeted(setup, ...lines);
  assert.deepEqual(setup.session.capabilities, {
    hasStartTls: false,
    hasPipelining: true,
    hasEightBitMime: true,
    hasChunking: true,
    hasSmtpUtf8: false,
    hasEnhancedStatusCodes: false,
    hasDsn: false,
    sizeMax: 1000,
  });
  setup.session.destroy('end');
});

test('a tap hears both sides in order, and what TLS hides besides', async () => {
  const heard: string[] = [];
  const setup = connect(
    {},
    {
      onSent: (bytes) => void heard.push(`C ${bytes.toString()}`),
      onReceived: (bytes) => void heard.push(`S ${bytes.toString()}`),
    },
  );
  await greeted(setup, '250 STARTTLS');
  const [inside, theirInside] = duplexPair();
  theirInside.on('data', () => theirInside.write('250 again\r\n'));
  const upgraded = setup.session.startTls(() => Promise.resolve(inside));
  setup.theirs.write('220 go\r\n');
  await upgraded;
  assert.deepEqual(heard, [
    'S 220 them\r\n',
    'C EHLO us.example\r\n',
    'S 250 STARTTLS\r\n',
    'C STARTTLS\r\n',
    'S 220 go\r\n',
    'C EHLO us.example\r\n',
    'S 250 again\r\n',
  ]);
  setup.session.destroy('end');
});

test('says HELO where EHLO is refused for good, and then has no extensions', async () => {
  const setup = connect();
  const { session, theirs } = setup;
  const greeting = session.readGreeting();
  theirs.write('220 them\r\n');
  await greeting;
  const hello = session.hello();
  theirs.write('502 what\r\n');
  await turn();
  await turn();
  theirs.write('250-them\r\n250 STARTTLS\r\n');
  assert.equal((await hello).kind, 'done');
  assert.equal(setup.heard(), 'EHLO us.example\r\nHELO us.example\r\n');
  assert.equal(session.capabilities.hasStartTls, false);
  assert(session.mayBegin);
  session.destroy('end');
});

test('does not say HELO where EHLO is refused for now: TLS may be offered later', async () => {
  const setup = connect();
  await greeted(setup, '451 later');
  assert.equal(setup.heard(), 'EHLO us.example\r\n');
  assert.equal(setup.session.mayBegin, false);
  setup.session.destroy('end');
});

test('forgets all capabilities after STARTTLS and says EHLO again', async () => {
  const setup = connect();
  await greeted(setup, '250-them', '250-PIPELINING', '250 STARTTLS');
  const { session, theirs } = setup;
  const [inner, outer] = duplexPair();
  const heard: string[] = [];
  outer.on('data', (bytes: Buffer) => {
    heard.push(bytes.toString());
    outer.write('250-them\r\n250 SIZE 5\r\n');
  });
  theirs.write('220 go\r\n');
  const result = await session.startTls(() => Promise.resolve(inner));
  assert(result.kind === 'upgraded');
  assert.equal(result.hello.kind, 'done');
  assert.deepEqual(heard, ['EHLO us.example\r\n']);
  assert.equal(session.capabilities.hasPipelining, false);
  assert.equal(session.capabilities.sizeMax, 5);
  session.destroy('end');
});

for (const injected of ['250 injected\r\n', '250 half a rep', '\r']) {
  test(`never acts on plaintext behind the 220 of STARTTLS: ${JSON.stringify(injected)}`, async () => {
    const setup = connect();
    await greeted(setup, '250-them', '250 STARTTLS');
    let isAsked = false;
    setup.theirs.write(`220 go\r\n${injected}`);
    const result = await setup.session.startTls(() => {
      isAsked = true;
      return Promise.resolve(null);
    });
    assert.equal(result.kind, 'not-encrypted');
    assert.equal(isAsked, false);
    assert(setup.session.isClosed);
    assert.equal(setup.heard(), 'EHLO us.example\r\nSTARTTLS\r\n');
  });
}

test('sends nothing more on a connection whose handshake failed', async () => {
  const setup = connect();
  await greeted(setup, '250-them', '250 STARTTLS');
  setup.theirs.write('220 go\r\n');
  const result = await setup.session.startTls(() => Promise.resolve(null));
  assert.equal(result.kind, 'not-encrypted');
  setup.session.quit();
  await turn();
  assert.equal(setup.heard(), 'EHLO us.example\r\nSTARTTLS\r\n');
  assert.equal(setup.session.mayBegin, false);
});

test('is free for no transaction after STARTTLS was refused', async () => {
  const setup = connect();
  await greeted(setup, '250-them', '250 STARTTLS');
  setup.theirs.write('454 not now\r\n');
  const result = await setup.session.startTls(() => Promise.resolve(null));
  assert.equal(result.kind, 'refused');
  assert.equal(setup.session.mayBegin, false);
  setup.session.destroy('end');
});

test('ends the connection on a reply that it did not ask for', async () => {
  const setup = connect();
  await greeted(setup, '250 them');
  setup.theirs.write('250 surprise\r\n');
  await turn();
  assert.equal(setup.session.core.loss?.code, 'UNSOLICITED_REPLY');
});

test('ends the connection on what is no reply', async () => {
  const setup = connect();
  const greeting = setup.session.readGreeting();
  setup.theirs.write('hello there\r\n');
  const result = await greeting;
  assert(result.kind === 'lost');
  assert.equal(result.loss.cause, 'protocol');
});

test('waits for the greeting no longer than it may, however slowly it trickles', async () => {
  const setup = connect({ greetingMs: 60 });
  const greeting = setup.session.readGreeting();
  const timer = setInterval(() => setup.theirs.write('x'), 5);
  const result = await greeting;
  clearInterval(timer);
  assert(result.kind === 'lost');
  assert.equal(result.loss.cause, 'timeout');
});

test('keeps a shorter wait that begins while a longer one is on the clock', async () => {
  const setup = connect({ greetingMs: 600_000, helloMs: 20 });
  const greeting = setup.session.readGreeting();
  setup.theirs.write('220 them\r\n');
  await greeting;
  const hello = await setup.session.hello();
  assert(hello.kind === 'lost');
  assert.equal(hello.loss.cause, 'timeout');
});

test('says QUIT and closes, also where the server stays silent', async () => {
  for (const answer of ['221 bye\r\n', '']) {
    const setup = connect();
    await greeted(setup, '250 them');
    const closed = new Promise<void>((resolve) => {
      setup.session.onChange = () => resolve();
    });
    setup.session.quit();
    setup.theirs.write(answer);
    await closed;
    assert(setup.session.core.loss !== null);
    assert.equal(setup.heard(), 'EHLO us.example\r\nQUIT\r\n');
  }
});
