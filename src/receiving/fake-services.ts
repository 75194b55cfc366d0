/** A gateway around a listener that keeps everything in memory; for tests of this room. */
import { sizeOf } from '../mail/content.ts';
import type { Content } from '../mail/content.ts';
import type { Reply } from '../mail/reply.ts';
import type { IncomingMessage } from '../policy/delivery.ts';
import { formatAddress } from '../mail/address.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Address } from '../mail/address.ts';
import type { Policy } from '../policy/policy.ts';
import { noRateLimits } from '../policy/rate-limit.ts';
import type { ContentQuestion, MessageFacts } from '../policy/rules/rule-message.ts';
import { noFacts } from '../policy/rules/rule-message.ts';
import type { RecipientVerification } from '../policy/recipient-verification.ts';
import type { CounterName, Meter } from '../report/meter.ts';
import type { ServerTls } from '../tls/contexts.ts';
import { ClientTable } from './client-table.ts';
import { FirstRefusals } from './first-refusals.ts';
import { MemoryBudget } from './memory-budget.ts';
import { RateLimiter } from './rate-limiter.ts';
import { RehearsalAllowance } from './rehearsal-allowance.ts';
import type { Account, ReceivingServices, RefusalRecord, SpoolWriter } from './services.ts';

/** One line of the log. */
export interface LogLine {
  readonly level: 'info' | 'warn' | 'error' | 'debug';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** What the fake spool did with one file. */
export interface FakeSpoolFile {
  readonly organization: string;
  readonly chunks: Buffer[];
  state: 'open' | 'finished' | 'abandoned';
}

export class FakeServices implements ReceivingServices {
  currentPolicy: Policy;
  tls: ServerTls | null = null;
  readonly accepted: IncomingMessage[] = [];
  readonly refused: RefusalRecord[] = [];
  readonly lines: LogLine[] = [];
  /** What was counted, as `name label label` with the sum. */
  readonly counts = new Map<string, number>();
  readonly files: FakeSpoolFile[] = [];
  /** Account by `name password`. */
  readonly accounts = new Map<string, Account>();
  contentMemory = new MemoryBudget(1024 * 1024);
  readonly firstRefusals = new FirstRefusals();
  rates = new RateLimiter(noRateLimits);
  readonly rehearsals = new RehearsalAllowance();
  clients = new ClientTable();
  nowMs = 1_800_000_000_000;
  admission: Reply | null = null;
  /** Runs within `accept`, before the message counts. */
  onAccept: (message: IncomingMessage) => Promise<void> = () => Promise.resolve();
  /** Addresses that were asked about, in order. */
  readonly asked: string[] = [];
  /** What the server that keeps them says. */
  onVerify: (recipient: string) => Promise<RecipientVerification> = () =>
    Promise.resolve({ kind: 'exists' });
  onSpoolWrite: () => Promise<void> = () => Promise.resolve();
  #ids = 0;

  constructor(policy: Policy) {
    this.currentPolicy = policy;
  }

  readonly log = {
    info: this.#logAt('info'),
    warn: this.#logAt('warn'),
    error: this.#logAt('error'),
    debug: this.#logAt('debug'),
  };

  readonly meter: Meter = {
    count: (name: CounterName, labels: Readonly<Record<string, string>>, by = 1) => {
      const key = [name, ...Object.values(labels)].join(' ');
      this.counts.set(key, (this.counts.get(key) ?? 0) + by);
    },
    observe: () => undefined,
  };

  policy(): Policy {
    return this.currentPolicy;
  }

  serverTls(): ServerTls {
    if (this.tls === null) throw new Error('no certificate in this test');
    return this.tls;
  }

  authenticate(username: string, password: string): Promise<Account | null> {
    return Promise.resolve(this.accounts.get(`${username} ${password}`) ?? null);
  }

  newId(): string {
    this.#ids++;
    return `ID${this.#ids}`;
  }

  openSpool(organization: string): Promise<SpoolWriter> {
    const file: FakeSpoolFile = { organization, chunks: [], state: 'open' };
    this.files.push(file);
    return Promise.resolve({
      write: async (chunk: Buffer) => {
        await this.onSpoolWrite();
        file.chunks.push(Buffer.from(chunk));
      },
      finish: () => {
        file.state = 'finished';
        const bytes = Buffer.concat(file.chunks);
        const path = join(spoolFolder(), `${this.files.indexOf(file)}`);
        writeFileSync(path, bytes);
        return Promise.resolve({ kind: 'spool', path, offset: 0, sizeBytes: bytes.length });
      },
      abandon: () => {
        file.state = 'abandoned';
        return Promise.resolve();
      },
    });
  }

  /** Unknown, unless the test says otherwise. */
  onExamine: (content: Content, questions: readonly ContentQuestion[]) => Promise<MessageFacts> =
    () => Promise.resolve(noFacts);

  examine(content: Content, questions: readonly ContentQuestion[]): Promise<MessageFacts> {
    return this.onExamine(content, questions);
  }

  async accept(...messages: readonly IncomingMessage[]): Promise<void> {
    for (const message of messages) await this.onAccept(message);
    this.accepted.push(...messages);
  }

  verifyRecipient(_organization: string, recipient: Address): Promise<RecipientVerification> {
    const text = formatAddress(recipient);
    this.asked.push(text);
    return this.onVerify(text);
  }

  admit(): Reply | null {
    return this.admission;
  }

  recordRefusal(record: RefusalRecord): void {
    this.refused.push(record);
  }

  now(): number {
    return this.nowMs;
  }

  steadyNow(): number {
    return this.nowMs - 1_000_000_000;
  }

  /** The content of an accepted message as text, from memory or from the only spool file. */
  textOf(content: Content): string {
    const bytes =
      content.kind === 'memory' ? content.bytes : Buffer.concat(this.files.at(-1)!.chunks);
    if (bytes.length !== sizeOf(content)) throw new Error('the size is not that of the bytes');
    return bytes.toString('latin1');
  }

  /** Resolves at the next log line with this text; for what happens after the last reply. */
  async logged(text: string): Promise<LogLine> {
    for (;;) {
      const line = this.lines.find((line) => line.text === text);
      if (line !== undefined) return line;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #logAt(level: LogLine['level']): (fields: LogLine['fields'], text: string) => void {
    return (fields, text) => {
      this.lines.push({ level, fields, text });
    };
  }
}

let madeFolder: string | null = null;

/** Finished files lie here until the process ends, so that they can be read again. */
function spoolFolder(): string {
  if (madeFolder !== null) return madeFolder;
  const folder = mkdtempSync(join(tmpdir(), 'postern-fake-spool-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  madeFolder = folder;
  return folder;
}
