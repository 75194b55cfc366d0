/**
 * A listener: accepts connections within its bounds, and stops gracefully.
 *
 * @see RFC 5321 §3.1, §3.8
 */
import net from 'node:net';
import { Failure } from '../mail/failure.ts';
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import { formatReply } from '../smtp/reply.ts';
import { Connection, clientAddressOf } from './connection.ts';
import type { ReceivingServices } from './services.ts';
import type { ListenerSettings } from './settings.ts';

/** A listener that runs. */
export interface Listener {
  readonly address: { readonly host: string; readonly port: number };
  /**
   * Takes no new connections, answers 421 to sessions without a transaction, lets the others finish
   * within `graceMs`, and resolves when nothing is left.
   */
  stop(graceMs: number): Promise<void>;
}

const tooManySessions = reply(421, '4.3.2', 'too many sessions, try again later');
const tooManyFromAddress = reply(421, '4.7.0', 'too many sessions from your address');
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
  readonly #settings: ListenerSettings;
  readonly #services: ReceivingServices;
  readonly #server: net.Server;
  readonly #connections = new Set<Connection>();
  readonly #countByAddress = new Map<string, number>();
  readonly #clock: NodeJS.Timeout;
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

  open(): Promise<void> {
    const { host, port, name, sharesPort } = this.#settings;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause) => {
        clearInterval(this.#clock);
        const text = `${name}: cannot listen on ${host} port ${port}: ${cause.message}`;
        reject(new Failure('listen-failed', text, { cause }));
      });
      this.#server.listen({ host, port, reusePort: sharesPort, backlog: 1024 }, () => {
        this.#server.removeAllListeners('error');
        this.#server.on('error', (error) => {
          this.#services.log.error({ listener: name, err: error }, 'listener failed');
        });
        resolve();
      });
    });
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
    for (const connection of this.#connections) connection.shutDown();
    if (this.#connections.size > 0) {
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
    const { sessionsMax, sessionsPerAddressMax } = this.#settings.limits;
    const key = addressKey(clientAddressOf(raw));
    const count = this.#countByAddress.get(key) ?? 0;
    if (this.#connections.size >= sessionsMax) return this.#turnAway(raw, tooManySessions);
    if (count >= sessionsPerAddressMax) return this.#turnAway(raw, tooManyFromAddress);
    this.#countByAddress.set(key, count + 1);
    const context = { settings: this.#settings, services: this.#services };
    const connection = new Connection(raw, context, () => this.#leave(connection, key));
    this.#connections.add(connection);
    connection.start();
  }

  #leave(connection: Connection, key: string): void {
    if (!this.#connections.delete(connection)) return;
    const count = this.#countByAddress.get(key)! - 1;
    if (count === 0) this.#countByAddress.delete(key);
    else this.#countByAddress.set(key, count);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  #turnAway(raw: net.Socket, answer: Reply): void {
    this.#services.log.warn(
      { listener: this.#settings.name, client: clientAddressOf(raw), reason: answer.lines[0] },
      'session refused',
    );
    const timer = setTimeout(() => raw.destroy(), turnedAwayMs);
    raw.on('error', () => undefined);
    raw.on('close', () => clearTimeout(timer));
    if (this.#settings.tls === 'implicit') raw.destroy();
    else raw.resume().end(formatReply(answer));
  }

  #checkTime(): void {
    const nowMs = performance.now();
    for (const connection of this.#connections) connection.checkTime(nowMs);
  }
}

/** An IPv6 client owns at least a /64. */
function addressKey(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':');
  const missing = 8 - groups.length - (tail === undefined ? 0 : tail.split(':').length);
  const all = tail === undefined ? groups : [...groups, ...Array<string>(missing).fill('0')];
  return `${all.slice(0, 4).join(':')}::/64`;
}

function checkEveryMs(settings: ListenerSettings): number {
  const { commandTimeoutMs, dataTimeoutMs, sessionMs } = settings.limits;
  const shortest = Math.min(commandTimeoutMs, dataTimeoutMs, sessionMs);
  return Math.min(checkEveryMsMax, Math.max(10, Math.floor(shortest / 4)));
}
