/** Whole sessions of the client against a server that says any octets. */
import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import * as fc from 'fast-check';
import type { Permit } from '../../../src/mail/permit.ts';
import type { Envelope } from '../../../src/mail/envelope.ts';
import { nothingRequired } from '../../../src/policy/tls-requirement.ts';
import { judgeTls } from '../../../src/policy/tls-verdict.ts';
import { ClientSession } from '../../../src/smtp/client-session.ts';
import { defaultClientTimeouts } from '../../../src/smtp/client-timeouts.ts';
import type { TransactionResult } from '../../../src/smtp/client-transaction.ts';
import { beginTransaction } from '../../../src/smtp/client-transaction.ts';
import { latin1 } from '../arbitraries.ts';
import { pieces } from '../cuts.ts';
import type { FuzzTarget } from '../target.ts';

/** Says its pieces one after the other, each when the client has spoken or waits, then ends. */
class ScriptedServer extends Duplex {
  readonly #script: Buffer[];
  readonly #written: Buffer[];

  constructor(script: Buffer[], written: Buffer[] = []) {
    super();
    this.#script = script;
    this.#written = written;
  }

  get written(): string {
    return Buffer.concat(this.#written).toString('latin1');
  }

  /** The stream after the handshake: the same server goes on in it. */
  encrypted(): ScriptedServer {
    return new ScriptedServer(this.#script, this.#written);
  }

  override _read(): void {
    setImmediate(() => this.push(this.#script.shift() ?? null));
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#written.push(chunk);
    done();
  }
}

const envelope: Envelope = {
  reversePath: { localPart: 'a', domain: 'us.example' },
  recipients: [
    { localPart: 'b', domain: 'them.example' },
    { localPart: 'c', domain: 'them.example' },
  ],
  bodyType: '7bit',
};
const bytes = Buffer.from('Subject: x\r\n\r\n.body\r\n');

const line = fc.constantFrom(
  '250 ok\r\n',
  '250 2.1.0 ok\r\n',
  '354 go\r\n',
  '550 5.1.1 no\r\n',
  '451 4.3.0 later\r\n',
  '421 4.3.2 closing\r\n',
  '220 go\r\n',
  '250-half\r\n',
  '999 odd\r\n',
  'nonsense\r\n',
);
const greeting = fc.constantFrom('220 them ESMTP\r\n', '220-a\r\n220 b\r\n', '554 no\r\n');
const hello = fc.constantFrom(
  '250 them\r\n',
  '250-them\r\n250-PIPELINING\r\n250 CHUNKING\r\n',
  '250-them\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 SIZE 1000\r\n',
  '250-them\r\n250-STARTTLS\r\n250 SIZE 3\r\n',
  '502 what\r\n250 them\r\n',
);
const script = fc
  .tuple(greeting, hello, fc.array(line, { maxLength: 8 }), fc.array(line, { maxLength: 3 }))
  .map((parts) => parts.flat().join(''));

const client: FuzzTarget = {
  name: 'client-session',
  files: [
    'src/smtp/client-session.ts',
    'src/smtp/client-core.ts',
    'src/smtp/client-transaction.ts',
  ],
  structured: latin1(script),
  tokens: [
    '250 ok\r\n',
    '250-a\r\n',
    '354 go\r\n',
    '421 closing\r\n',
    '550 5.1.1 no\r\n',
    '220 go\r\n',
    '250 STARTTLS\r\n',
    '250-PIPELINING\r\n',
    '250-CHUNKING\r\n',
    '\n',
    '\r',
    '\0',
  ],
  sizeBytesMax: 4000,
  // Nothing waits for a reply here; how the reader grows is measured in its own target.
  parse: () => undefined,
  async check(input) {
    // Line by line the server is polite and waits; all at once, or in odd pieces, it is not.
    const lines = input.toString('latin1').match(/[^\n]*\n|[^\n]+$/g) ?? [];
    const polite = lines.map((each) => Buffer.from(each, 'latin1'));
    const smtp = await dialogue(polite, 'smtp');
    const lmtp = await dialogue(polite, 'lmtp');
    const hasty = await dialogue(pieces(input, 1 + (input.length % 97)), 'smtp');
    return `${smtp}; ${lmtp}; ${hasty}`;
  },
};

/** A delivery from greeting to QUIT; always ends once the server's words are over. */
async function dialogue(script: readonly Buffer[], protocol: 'smtp' | 'lmtp'): Promise<string> {
  const server = new ScriptedServer([...script]);
  const session = new ClientSession(server, {
    protocol,
    connectionId: 'c1',
    ownName: 'us.example',
    timeouts: { ...defaultClientTimeouts, quitMs: 1 },
    transactionsInFlightMax: 2,
  });
  try {
    return await deliver(session, server, Buffer.concat(script));
  } finally {
    session.destroy('the dialogue is over');
    assert.ok(server.written.length < 2000, 'what is sent does not grow with what is heard');
  }
}

async function deliver(
  session: ClientSession,
  server: ScriptedServer,
  input: Buffer,
): Promise<string> {
  const greeted = await session.readGreeting();
  if (greeted.kind !== 'done') return `greeting ${greeted.kind}`;
  const helloed = await session.hello();
  if (helloed.kind !== 'done') return `hello ${helloed.kind}`;
  let secured = '';
  if (session.capabilities.hasStartTls) {
    const result = await session.startTls(() => Promise.resolve(server.encrypted()));
    secured = result.kind;
    if (result.kind === 'not-encrypted') {
      assert.doesNotMatch(server.written, /MAIL FROM/, 'nothing is sent where TLS failed');
      assert.ok(session.isClosed);
    }
    // A server that still announces STARTTLS under TLS is not asked again.
    if (result.kind === 'upgraded' && result.hello.kind !== 'done') return 'hello under TLS';
  }
  if (!session.mayBegin) return `${secured} not ready`;
  const result = await beginTransaction(session, permitByVerdict(), envelope, {
    kind: 'memory',
    bytes,
  });
  checkResult(result, input);
  session.quit();
  const kinds = result.recipients.map((each) => each.kind).join();
  return `${secured} ${session.capabilities.hasPipelining} ${session.capabilities.hasChunking} ${kinds}`;
}

/** From where all permits come: the verdict, of a connection in clear text where that is allowed. */
function permitByVerdict(): Permit {
  const verdict = judgeTls(
    nothingRequired,
    {
      formatVersion: 1,
      connectionId: 'c1',
      observedAt: '2026-11-01T00:00:00.000Z',
      role: 'client',
      peer: { address: '192.0.2.1', port: 25, hostName: null },
      encryption: 'not-offered',
      failure: null,
      tls: null,
    },
    Date.UTC(2026, 10, 1),
    null,
  );
  assert.ok(verdict.kind === 'proceed');
  return verdict.permit;
}

/** Nothing is told as accepted that the server did not say. */
function checkResult(result: TransactionResult, input: Buffer): void {
  assert.equal(result.recipients.length, envelope.recipients.length);
  const heard = input.toString('latin1');
  for (const each of result.recipients) {
    if (each.kind === 'accepted') {
      assert.ok(each.reply.code >= 200 && each.reply.code < 300);
      assert.ok(heard.includes(String(each.reply.code)), 'the server said it');
    }
    // Anything but 354 refuses DATA, a 250 too; elsewhere a success is none.
    if (each.kind === 'refused' && each.stage === 'data') assert.notEqual(each.reply.code, 354);
    else if (each.kind === 'refused') assert.ok(each.reply.code >= 300);
    if (each.kind === 'lost') assert.ok(each.loss.code.length > 0);
  }
}

export const clientTargets: readonly FuzzTarget[] = [client];
