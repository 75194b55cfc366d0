/**
 * The fake partner: an SMTP server with switchable vices, on node:net and node:tls alone, so that it
 * judges our SMTP client independently. For tests and, later, rehearsals.
 *
 * It keeps every byte that came in clear apart from every byte that came under TLS: that is the
 * proof that nothing of a message left in clear.
 * @see RFC 3207, RFC 8314 §3
 */
import { once } from 'node:events';
import { EventEmitter } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { PartnerSession } from './partner-session.ts';
import type { PartnerHook, PartnerMessage, SessionSettings } from './partner-session.ts';

/**
 * `refused` 454; `cut` closes at STARTTLS; `hang` never replies; `stalls` replies 220 and then says
 * nothing; `not-tls` replies 220 and goes on in clear; `injects` sends replies in clear behind the
 * 220; `vanishes-after-first` offers it on the first connection only.
 */
export type StarttlsVice =
  | 'offered'
  | 'absent'
  | 'refused'
  | 'cut'
  | 'hang'
  | 'stalls'
  | 'not-tls'
  | 'injects'
  | 'vanishes-after-first';

export interface FakePartnerOptions {
  /** SMTP where absent. */
  readonly protocol?: 'smtp' | 'lmtp';
  /** Path of the Unix socket to listen on in place of `host` and `port`; TLS does not work there. */
  readonly path?: string;
  readonly host?: '127.0.0.1' | '::1';
  /** 0 (a free one) where absent. */
  readonly port?: number;
  /** In greeting and EHLO; `partner.test` where absent. */
  readonly hostName?: string;
  /** Of the server; without it STARTTLS is not offered. `cert` may hold a chain. */
  readonly tls?: tls.TlsOptions;
  /** `offered` where `tls` is given, else `absent`. */
  readonly starttls?: StarttlsVice;
  /** TLS from the first byte on. */
  readonly isImplicitTls?: boolean;
  /** `required` refuses, in the handshake, a client without a certificate under `clientCa`. */
  readonly clientCertificate?: 'not-requested' | 'requested' | 'required';
  readonly clientCa?: string;
  /** The whole line, `421 4.3.2 busy`; `silence` for none, `drop` to close at once. */
  readonly greeting?: string;
  readonly greetingDelayMs?: number;
  readonly isEhloRefused?: boolean;
  /** EHLO keywords beside STARTTLS. */
  readonly extensions?: readonly string[];
  /** The same as `extensions` where absent. */
  readonly extensionsUnderTls?: readonly string[];
  /** Replies of its own choice to any command; null behaves well. */
  readonly reply?: PartnerHook;
}

export const partnerExtensions: readonly string[] = [
  'PIPELINING',
  'SIZE 52428800',
  '8BITMIME',
  'ENHANCEDSTATUSCODES',
];

/** What TLS was with one client. `clientChain` in DER, leaf first, empty where none was shown. */
export interface PartnerTls {
  readonly version: string;
  readonly cipher: string;
  readonly sni: string | null;
  readonly isResumed: boolean;
  readonly clientChain: readonly Buffer[];
}

export interface PartnerConnection {
  readonly id: number;
  /** Every byte that came before TLS began, in order. */
  readonly clear: Buffer;
  /** Every byte that came under TLS, decrypted, in order. */
  readonly underTls: Buffer;
  /** Null until a handshake is complete. */
  readonly tls: PartnerTls | null;
  /** Why the handshake failed, an OpenSSL or Node code; null where it did not. */
  readonly tlsError: string | null;
  /** Rules of SMTP that the client broke, in words. */
  readonly violations: readonly string[];
  readonly isOpen: boolean;
}

export interface FakePartner {
  readonly host: string;
  readonly port: number;
  readonly connections: readonly PartnerConnection[];
  /** Accepted ones, in order. */
  readonly messages: readonly PartnerMessage[];
  /** Resolves as soon as it holds, looked at after each event; rejects after `timeoutMs` (5 s). */
  waitUntil(holds: (partner: FakePartner) => boolean, timeoutMs?: number): Promise<void>;
  /** Ends all connections; they and their bytes can still be read. */
  close(): Promise<void>;
}

/** Listens on loopback or on a Unix socket only; `port` is 0 there. */
export async function startFakePartner(options: FakePartnerOptions = {}): Promise<FakePartner> {
  const host = options.host ?? '127.0.0.1';
  const partner = new Partner(options);
  // Several replies in a row must not wait for the acknowledgement of the first.
  const server = net.createServer({ noDelay: true }, (socket) => partner.serve(socket));
  if (options.path === undefined) server.listen(options.port ?? 0, host);
  else server.listen(options.path);
  await once(server, 'listening');
  const place = server.address() as net.AddressInfo | string;
  const port = typeof place === 'string' ? 0 : place.port;
  const result: FakePartner = {
    host,
    port,
    connections: partner.connections,
    messages: partner.messages,
    waitUntil: (holds, timeoutMs = 5000) => partner.waitUntil(() => holds(result), timeoutMs),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      partner.destroyAll();
      await closed;
    },
  };
  return result;
}

/** The live record of a connection; readers see it as PartnerConnection. */
class Connection implements PartnerConnection {
  readonly id: number;
  readonly socket: net.Socket;
  readonly clearParts: Buffer[] = [];
  readonly tlsParts: Buffer[] = [];
  readonly violations: string[] = [];
  tls: PartnerTls | null = null;
  tlsError: string | null = null;
  isOpen = true;
  /** What the dialogue goes over: the socket, then its TLS. */
  stream: net.Socket;
  session!: PartnerSession;

  constructor(id: number, socket: net.Socket) {
    this.id = id;
    this.socket = socket;
    this.stream = socket;
  }

  get clear(): Buffer {
    return Buffer.concat(this.clearParts);
  }

  get underTls(): Buffer {
    return Buffer.concat(this.tlsParts);
  }
}

class Partner {
  readonly connections: Connection[] = [];
  readonly messages: PartnerMessage[] = [];
  readonly #options: FakePartnerOptions;
  readonly #tlsServer: tls.Server | null;
  readonly #events = new EventEmitter().setMaxListeners(0);
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(options: FakePartnerOptions) {
    this.#options = options;
    this.#tlsServer = options.tls === undefined ? null : this.#createTlsServer(options.tls);
  }

  serve(socket: net.Socket): void {
    const connection = new Connection(this.connections.length, socket);
    this.connections.push(connection);
    connection.session = new PartnerSession(this.#settingsFor(connection), false);
    // What breaks on the way is seen by 'close'; the client's faults are none of this server.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      connection.isOpen = false;
      this.#changed();
    });
    this.#changed();
    if (this.#options.isImplicitTls === true) this.#upgrade(connection);
    else {
      this.#listen(connection, socket);
      this.#greet(connection);
    }
  }

  destroyAll(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const { socket, stream } of this.connections) {
      stream.destroy();
      socket.destroy();
    }
  }

  async waitUntil(holds: () => boolean, timeoutMs: number): Promise<void> {
    const signal = AbortSignal.timeout(timeoutMs);
    while (!holds()) await once(this.#events, 'change', { signal });
  }

  #changed(): void {
    this.#events.emit('change');
  }

  #listen(connection: Connection, stream: net.Socket): void {
    const isTls = stream instanceof tls.TLSSocket;
    const parts = isTls ? connection.tlsParts : connection.clearParts;
    stream.on('data', (bytes: Buffer) => {
      parts.push(bytes);
      void connection.session.take(bytes).then(() => this.#changed());
    });
  }

  #greet(connection: Connection): void {
    const greeting = this.#options.greeting ?? `220 ${this.#hostName} ESMTP fake partner`;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (greeting === 'drop') connection.stream.destroy();
      else if (greeting !== 'silence') connection.stream.write(`${greeting}\r\n`);
    }, this.#options.greetingDelayMs ?? 0);
    this.#timers.add(timer);
  }

  get #hostName(): string {
    return this.#options.hostName ?? 'partner.test';
  }

  #settingsFor(connection: Connection): SessionSettings {
    const { extensions = partnerExtensions, isEhloRefused = false, reply } = this.#options;
    const vice = this.#vice;
    const vanished = vice === 'vanishes-after-first' && connection.id > 0;
    return {
      protocol: this.#options.protocol ?? 'smtp',
      connection: connection.id,
      hostName: this.#hostName,
      extensions,
      extensionsUnderTls: this.#options.extensionsUnderTls ?? extensions,
      offersStarttls: vice !== 'absent' && !vanished,
      isEhloRefused,
      hook: reply ?? (() => null),
      onMessage: (message) => {
        this.messages.push(message);
        this.#changed();
      },
      onViolation: (violation) => connection.violations.push(violation),
      onStarttls: (leftover) => this.#onStarttls(connection, leftover),
      write: (text) => void connection.stream.write(text),
      end: () => void connection.stream.end(),
      // A Unix socket has no reset.
      destroy: () =>
        void (this.#options.path === undefined
          ? connection.socket.resetAndDestroy()
          : connection.socket.destroy()),
    };
  }

  get #vice(): StarttlsVice {
    return this.#options.starttls ?? (this.#tlsServer === null ? 'absent' : 'offered');
  }

  #onStarttls(connection: Connection, leftover: Buffer): void {
    if (leftover.length > 0) connection.violations.push('bytes in clear behind STARTTLS');
    const { socket } = connection;
    switch (this.#vice) {
      case 'offered':
      case 'vanishes-after-first':
        socket.write('220 2.0.0 go ahead\r\n');
        return this.#upgrade(connection);
      case 'injects':
        socket.write('220 2.0.0 go ahead\r\n250 injected\r\n250 injected\r\n');
        return this.#upgrade(connection);
      case 'refused':
        socket.write('454 4.7.0 TLS not available\r\n');
        return connection.session.resume();
      case 'absent':
        socket.write('502 5.5.1 not implemented\r\n');
        return connection.session.resume();
      case 'not-tls':
        socket.write('220 2.0.0 go ahead\r\n');
        return connection.session.resume();
      case 'cut':
        return void socket.end();
      case 'hang':
        return;
      case 'stalls':
        return void socket.write('220 2.0.0 go ahead\r\n');
    }
  }

  /** By a real tls.Server, since only that refuses untrusted client certificates by itself. */
  #upgrade(connection: Connection): void {
    if (this.#tlsServer === null) throw new Error('the fake partner has no certificate for TLS');
    connection.socket.removeAllListeners('data');
    this.#tlsServer.emit('connection', connection.socket);
  }

  #createTlsServer(settings: tls.TlsOptions): tls.Server {
    const { clientCertificate = 'not-requested', clientCa } = this.#options;
    const server = tls.createServer({
      ...settings,
      requestCert: clientCertificate !== 'not-requested',
      rejectUnauthorized: clientCertificate === 'required',
      // An empty list: without one the bundled roots would count, and intermediates get lost.
      ca: clientCa ?? [],
    });
    server.on('secureConnection', (stream) => this.#onSecure(stream));
    server.on('tlsClientError', (error: NodeJS.ErrnoException, stream) => {
      const connection = this.#connectionOf(stream);
      if (connection !== undefined) connection.tlsError = error.code ?? error.message;
      this.#changed();
    });
    return server;
  }

  #onSecure(stream: tls.TLSSocket): void {
    const connection = this.#connectionOf(stream);
    if (connection === undefined) return void stream.destroy();
    connection.stream = stream;
    connection.tls = readTls(stream);
    connection.session.restartUnderTls();
    stream.on('error', (error: NodeJS.ErrnoException) => {
      connection.tlsError ??= error.code ?? error.message;
    });
    this.#listen(connection, stream);
    if (this.#options.isImplicitTls === true) this.#greet(connection);
    this.#changed();
  }

  /** A TLS socket does not say on which socket it lies, but the client's port does. */
  #connectionOf(stream: tls.TLSSocket): Connection | undefined {
    const { remotePort } = stream;
    return this.connections.findLast(
      ({ socket, isOpen }) => isOpen && socket.remotePort === remotePort,
    );
  }
}

function readTls(stream: tls.TLSSocket): PartnerTls {
  const sni = (stream as unknown as { servername?: string | false }).servername;
  return {
    version: stream.getProtocol() ?? '',
    cipher: stream.getCipher().name,
    sni: typeof sni === 'string' ? sni : null,
    isResumed: stream.isSessionReused(),
    clientChain: readChain(stream),
  };
}

function readChain(stream: tls.TLSSocket): readonly Buffer[] {
  const chain: Buffer[] = [];
  let next: tls.DetailedPeerCertificate | undefined = stream.getPeerCertificate(true);
  while (next?.raw !== undefined && !chain.some((known) => known.equals(next!.raw))) {
    chain.push(next.raw);
    next = next.issuerCertificate;
  }
  return chain;
}
