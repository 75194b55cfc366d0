/**
 * A listener: accepts connections within its bounds, and stops gracefully.
 *
 * @see RFC 5321 §3.1, §3.8
 */
import net from 'node:net';
import { Failure } from '../mail/failure.ts';
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import { isInRanges } from '../policy/ip-match.ts';
import { formatReply } from '../smtp/reply.ts';
import type { Client } from './client-address.ts';
import { addressKey, clientAddressOf, isProxyItself } from './client-address.ts';
import { Connection } from './connection.ts';
import { takeProxyHeader } from './proxy-socket.ts';
import type { RefusalReason } from './refusal-reason.ts';
import type { ReceivingServices } from './services.ts';
import type { ListenerSettings } from './settings.ts';

/** A listener that runs. */
export interface Listener {
  readonly address: { readonly host: string; readonly port: number };
  /** Sessions that are open now. */
  readonly sessions: number;
  /** For sessions that begin from now on; those that are open keep theirs. The port stays. */
  change(settings: ListenerSettings): void;
  /**
   * Takes no new connections, answers 421 to sessions without a transaction, lets the others finish
   * within `graceMs`, and resolves when nothing is left.
   */
  stop(graceMs: number): Promise<void>;
}

const tooManySessions = reply(421, '4.3.2', 'too many sessions, try again later');
const tooManyFromAddress = reply(421, '4.7.0', 'too many sessions from your address');
const tooOften = reply(421, '4.7.0', 'too many new sessions from your address, try again later');
const turnedAway = {
  'too-many-sessions': tooManySessions,
  'too-many-from-address': tooManyFromAddress,
  'session-rate': tooOften,
} as const satisfies Partial<Record<RefusalReason, Reply>>;
/** Share of the sessions above which idle ones are waited for less long. */
const crowdedShare = 0.8;
/** Connections above the bound that are told so; further ones are dropped. */
const turnedAwayMax = 64;
const turnedAwayMs = 1000;
const checkEveryMsMax = 1000;

/** Rejects with a Failure `listen-failed`. */
export async function startListener(
  settings: ListenerSettings,
  services: ReceivingServices,
): Promise<Listener> {
  const door = new Door(settings, services);
  await door.open();
  return door;
}

class Door implements Listener {
  #settings: ListenerSettings;
  readonly #services: ReceivingServices;
  readonly #server: net.Server;
  readonly #connections = new Set<Connection>();
  /** Connections whose PROXY header is awaited. */
  readonly #arriving = new Set<net.Socket>();
  readonly #countByAddress = new Map<string, number>();
  #clock: NodeJS.Timeout;
  #onEmpty: (() => void) | null = null;
  #stopped: Promise<void> | null = null;

  constructor(settings: ListenerSettings, services: ReceivingServices) {
    this.#settings = settings;
    this.#services = services;
    const options = { pauseOnConnect: true, noDelay: true, allowHalfOpen: true };
    this.#server = net.createServer(options, (raw) => this.#enter(raw));
    this.#server.maxConnections = settings.limits.sessionsMax + turnedAwayMax;
    this.#clock = setInterval(() => this.#checkTime(), checkEveryMs(settings));
    this.#clock.unref();
  }

  get address(): { readonly host: string; readonly port: number } {
    const { port } = this.#server.address() as net.AddressInfo;
    return { host: this.#settings.host, port };
  }

  get sessions(): number {
    return this.#connections.size;
  }

  open(): Promise<void> {
    const { host, port, name, sharesPort, fd = null } = this.#settings;
    const shared = { backlog: 1024 };
    const where = fd === null ? { host, port, reusePort: sharesPort } : { fd };
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause) => {
        clearInterval(this.#clock);
        const text = `${name}: cannot listen on ${host} port ${port}: ${cause.message}`;
        reject(new Failure('listen-failed', text, { cause }));
      });
      this.#server.listen({ ...where, ...shared }, () => {
        const actual = this.#server.address() as net.AddressInfo;
        if (fd !== null && (actual.address !== host || (port !== 0 && actual.port !== port))) {
          this.#server.close();
          clearInterval(this.#clock);
          const found = `${actual.address} port ${actual.port}`;
          const text = `${name}: the socket that was handed over listens on ${found}, not on ${host} port ${port}`;
          return reject(new Failure('listen-failed', text));
        }
        this.#server.removeAllListeners('error');
        this.#server.on('error', (error) => {
          this.#services.log.error({ listener: name, err: error }, 'listener failed');
        });
        resolve();
      });
    });
  }

  change(settings: ListenerSettings): void {
    this.#settings = settings;
    this.#server.maxConnections = settings.limits.sessionsMax + turnedAwayMax;
    if (this.#stopped !== null) return;
    clearInterval(this.#clock);
    this.#clock = setInterval(() => this.#checkTime(), checkEveryMs(settings));
    this.#clock.unref();
  }

  /** A second call may shorten the grace of the first. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped ??= this.#close();
    const timer = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy();
    }, graceMs);
    await this.#stopped;
    clearTimeout(timer);
  }

  async #close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const raw of this.#arriving) raw.destroy();
    for (const connection of this.#connections) connection.shutDown();
    if (this.#connections.size > 0 || this.#arriving.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
    }
    await closed;
    clearInterval(this.#clock);
  }

  #enter(raw: net.Socket): void {
    // Gone already: without an address nothing can be judged.
    if (raw.remoteAddress === undefined) return void raw.destroy();
    const address = clientAddressOf(raw);
    const client = { address, port: raw.remotePort ?? 0, proxy: null };
    const { proxies } = this.#settings;
    if (proxies.length === 0 || !isInRanges(address, proxies)) return this.#admit(raw, client);
    this.#awaitProxy(raw, client).catch((error: unknown) => {
      this.#services.log.error({ listener: this.#settings.name, err: error }, 'session broke');
      raw.destroy();
    });
  }

  /** A listed address must say whom it speaks for before anything else. */
  async #awaitProxy(raw: net.Socket, proxy: Client): Promise<void> {
    const { sessionsMax, proxyTimeoutMs } = this.#settings.limits;
    raw.on('error', () => undefined);
    if (this.#arriving.size >= sessionsMax) return void raw.destroy();
    this.#arriving.add(raw);
    const header = await takeProxyHeader(raw, proxyTimeoutMs);
    this.#arriving.delete(raw);
    if (header.kind === 'refused') {
      this.#note(proxy, 'proxy', `the PROXY header ${header.reason}`);
      raw.destroy();
    } else if (this.#stopped !== null) {
      raw.destroy();
    } else if (header.kind === 'local') {
      this.#admit(raw, { ...proxy, proxy: proxy.address });
    } else {
      this.#admit(raw, { address: header.address, port: header.port, proxy: proxy.address });
    }
    this.#wakeIfEmpty();
  }

  #admit(raw: net.Socket, client: Client): void {
    const { sessionsMax, sessionsPerAddressMax } = this.#settings.limits;
    if (this.#connections.size >= sessionsMax) {
      return this.#turnAway(raw, client, 'too-many-sessions');
    }
    // A proxy that speaks for itself is nobody's client.
    const key = isProxyItself(client) ? null : addressKey(client.address);
    const count = key === null ? 0 : (this.#countByAddress.get(key) ?? 0);
    if (count >= sessionsPerAddressMax) {
      return this.#turnAway(raw, client, 'too-many-from-address');
    }
    if (key !== null && !this.#services.clients.mayOpenSession(key)) {
      return this.#turnAway(raw, client, 'session-rate');
    }
    if (key !== null) this.#countByAddress.set(key, count + 1);
    const context = { settings: this.#settings, services: this.#services };
    const connection = new Connection(raw, client, context, () => this.#leave(connection, key));
    this.#connections.add(connection);
    connection.start();
  }

  #leave(connection: Connection, key: string | null): void {
    if (!this.#connections.delete(connection)) return;
    if (key !== null) {
      const count = this.#countByAddress.get(key)! - 1;
      if (count === 0) this.#countByAddress.delete(key);
      else this.#countByAddress.set(key, count);
    }
    this.#wakeIfEmpty();
  }

  #wakeIfEmpty(): void {
    if (this.#connections.size === 0 && this.#arriving.size === 0) this.#onEmpty?.();
  }

  #turnAway(raw: net.Socket, client: Client, why: keyof typeof turnedAway): void {
    const answer = turnedAway[why];
    this.#note(client, why, answer.lines[0]!);
    const timer = setTimeout(() => raw.destroy(), turnedAwayMs);
    raw.on('error', () => undefined);
    raw.on('close', () => clearTimeout(timer));
    if (this.#settings.tls === 'implicit') raw.destroy();
    else raw.resume().end(formatReply(answer));
  }

  #note(client: Client, reason: RefusalReason, text: string): void {
    const { name: listener } = this.#settings;
    const { address, proxy } = client;
    this.#services.meter.count('sessionsRefused', { listener, reason });
    this.#services.log.warn({ listener, client: address, proxy, reason: text }, 'session refused');
  }

  #checkTime(): void {
    const nowMs = performance.now();
    const isCrowded = this.#connections.size > crowdedShare * this.#settings.limits.sessionsMax;
    for (const connection of this.#connections) connection.checkTime(nowMs, isCrowded);
  }
}

function checkEveryMs(settings: ListenerSettings): number {
  const { commandTimeoutMs, dataTimeoutMs, sessionMs } = settings.limits;
  const shortest = Math.min(commandTimeoutMs, dataTimeoutMs, sessionMs);
  return Math.min(checkEveryMsMax, Math.max(10, Math.floor(shortest / 4)));
}
