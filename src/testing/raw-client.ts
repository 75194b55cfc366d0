/**
 * A raw SMTP client for wire tests: sends exactly the bytes that it is given, waits for whole
 * replies, and upgrades to TLS with chosen options. It knows no rule of SMTP but the form of replies.
 *
 * @see RFC 5321 §4.2
 */
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';

/** `lines` without code and CRLF; `text` the whole reply as received. */
export interface RawReply {
  readonly code: number;
  readonly lines: readonly string[];
  readonly text: string;
}

export interface RawClientOptions {
  readonly port: number;
  /** 127.0.0.1 where absent. */
  readonly host?: string;
  /** A local address to come from, as 127.0.0.2. */
  readonly localAddress?: string;
  /** TLS from the first byte on, with these options. */
  readonly implicitTls?: tls.ConnectionOptions;
  /** For each wait; 5 s where absent. */
  readonly timeoutMs?: number;
}

/** Connects, and waits for nothing: the greeting is the first reply. */
export async function connectRaw(options: RawClientOptions): Promise<RawClient> {
  const { port, host = '127.0.0.1', localAddress } = options;
  const socket = net.connect({
    port,
    host,
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  const client = new RawClient(socket, options.timeoutMs ?? 5000);
  await client.connected();
  if (options.implicitTls !== undefined) await client.startTls(options.implicitTls);
  return client;
}

export class RawClient {
  readonly #timeoutMs: number;
  readonly #raw: net.Socket;
  #stream: net.Socket;
  #received = '';
  #all = '';
  #isEnded = false;
  #error: Error | null = null;
  #wake: () => void = () => undefined;

  constructor(socket: net.Socket, timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#raw = socket;
    this.#stream = socket;
    this.#listen(socket);
  }

  async connected(): Promise<void> {
    await once(this.#raw, 'connect', { signal: AbortSignal.timeout(this.#timeoutMs) });
  }

  /** The TLS of the connection, or null in clear. */
  get tls(): tls.TLSSocket | null {
    return this.#stream instanceof tls.TLSSocket ? this.#stream : null;
  }

  /** Everything that the server sent so far, in clear and decrypted, as latin1. */
  get transcript(): string {
    return this.#all;
  }

  /** Received and not yet taken by `reply`. */
  get pending(): string {
    return this.#received;
  }

  /** Whether the server has closed, or the connection broke. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  get localPort(): number {
    return this.#raw.localPort!;
  }

  /** Sends these bytes and nothing else; text as latin1. Resolves when they are handed over. */
  send(bytes: string | Buffer): Promise<void> {
    const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    return new Promise((resolve, reject) => {
      this.#stream.write(data, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }

  /** The next whole reply; rejects on time-out, at the end of the connection and on other bytes. */
  async reply(timeoutMs = this.#timeoutMs): Promise<RawReply> {
    const whole = /^(?:(\d{3})-[^\r\n]*\r\n)*(\d{3})(?: [^\r\n]*)?\r\n/;
    await this.#until(() => whole.test(this.#received) || this.#isEnded, timeoutMs);
    const text = whole.exec(this.#received)?.[0];
    if (text === undefined) throw new Error(`no reply but ${JSON.stringify(this.#received)}`);
    this.#received = this.#received.slice(text.length);
    const lines = text.split('\r\n').slice(0, -1);
    const code = Number(lines[0]!.slice(0, 3));
    return { code, lines: lines.map((line) => line.slice(4)), text };
  }

  /** The next reply, which must have this code. */
  async expect(code: number, timeoutMs = this.#timeoutMs): Promise<RawReply> {
    const reply = await this.reply(timeoutMs);
    if (reply.code !== code) throw new Error(`expected ${code}, got ${reply.text.trimEnd()}`);
    return reply;
  }

  /** Sends the line with CRLF and takes the reply, which must have the code where one is given. */
  async command(line: string, code?: number): Promise<RawReply> {
    await this.send(`${line}\r\n`);
    return code === undefined ? this.reply() : this.expect(code);
  }

  /** STARTTLS, its 220, and the handshake. */
  async startTlsByCommand(options: tls.ConnectionOptions = {}): Promise<void> {
    await this.command('STARTTLS', 220);
    await this.startTls(options);
  }

  /**
   * The handshake alone; rejects where it fails. Any certificate of the server is taken unless the
   * options say otherwise.
   */
  async startTls(options: tls.ConnectionOptions = {}): Promise<void> {
    this.#raw.removeAllListeners('data');
    const stream = tls.connect({ rejectUnauthorized: false, ...options, socket: this.#raw });
    await once(stream, 'secureConnect', { signal: AbortSignal.timeout(this.#timeoutMs) });
    this.#stream = stream;
    this.#listen(stream);
  }

  /** Waits until the server has closed; what it said before stays in `transcript`. */
  async ended(timeoutMs = this.#timeoutMs): Promise<void> {
    await this.#until(() => this.#isEnded, timeoutMs);
  }

  /** Why the connection broke, or null. */
  get error(): Error | null {
    return this.#error;
  }

  /** Half-closes: our FIN, while replies are still read. */
  end(): void {
    this.#stream.end();
  }

  /** Ends the connection with a reset. */
  reset(): void {
    this.#raw.resetAndDestroy();
  }

  /** Ends the connection without a word. */
  close(): void {
    this.#stream.destroy();
    this.#raw.destroy();
  }

  #listen(stream: net.Socket): void {
    stream.on('data', (bytes: Buffer) => {
      const text = bytes.toString('latin1');
      this.#received += text;
      this.#all += text;
      this.#wake();
    });
    stream.on('error', (error) => {
      this.#error ??= error;
    });
    const onEnd = (): void => {
      this.#isEnded = true;
      this.#wake();
    };
    stream.on('end', onEnd);
    stream.on('close', onEnd);
  }

  async #until(holds: () => boolean, timeoutMs: number): Promise<void> {
    const wait = { isLate: false };
    const timer = setTimeout(() => {
      wait.isLate = true;
      this.#wake();
    }, timeoutMs);
    while (!holds() && !wait.isLate) await new Promise<void>((resolve) => (this.#wake = resolve));
    clearTimeout(timer);
    if (!holds())
      throw new Error(`waited ${timeoutMs} ms in vain; ${JSON.stringify(this.#received)}`);
  }
}
