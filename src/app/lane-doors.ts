/**
 * The lane's listeners: opened first, while the process may still open low ports, and let sessions in
 * only when everything behind them is there. A reload opens new ones, changes those that stay, and
 * drains those that are gone.
 */
import type { Config, ListenerConfig } from '../config/config.ts';
import { Failure } from '../mail/failure.ts';
import type { Listener } from '../receiving/listener.ts';
import { startListener } from '../receiving/listener.ts';
import type { ReceivingServices } from '../receiving/services.ts';
import type { ServerTls } from '../tls/contexts.ts';
import { listenerSettingsOf } from './lane-limits.ts';
import type { LaneStart, ListenerAddress } from './messages.ts';
import { explainPort } from './port-refusal.ts';

/** A reload replaces `config` and `tls`; a listener that it removes keeps what it had. */
interface Door {
  config: ListenerConfig;
  tls: ServerTls;
  readonly listener: Listener;
}

/** What a listener's sessions are served with; `serverTls` answers its certificates of now. */
export type ServicesOfDoor = (serverTls: () => ServerTls) => ReceivingServices;

/** Listeners as configured, their certificates by their names, and their services. */
export interface DoorPlan {
  readonly config: Config;
  readonly tls: ReadonlyMap<string, ServerTls>;
  readonly servicesOf: ServicesOfDoor;
}

/** Both are synchronous for the caller; one of them is called, once. */
export interface PreparedDoors {
  commit(): void;
  abandon(): void;
}

/** A listener that a reload could not open. */
export class DoorRefusal extends Failure {
  /** Its place among the configured ones. */
  readonly place: number;

  constructor(place: number, failure: Failure, text = failure.message) {
    super(failure.code, text, { cause: failure.cause });
    this.place = place;
  }
}

type LaneFacts = Pick<LaneStart, 'share' | 'isOnlyLane' | 'sockets'>;

export class Doors {
  readonly #lane: LaneFacts;
  #doors: readonly Door[] = [];
  readonly #draining = new Set<Door>();

  constructor(lane: LaneFacts) {
    this.#lane = lane;
  }

  /** In the order of the configuration. */
  addresses(): readonly ListenerAddress[] {
    return this.#doors.map(({ config, listener }) => {
      const { name, kind, tls } = config;
      return { name, kind, tls, ...listener.address };
    });
  }

  /** Open sessions by the names of their listeners, those that are drained included. */
  sessions(): readonly { readonly listener: string; readonly open: number }[] {
    return [...this.#doors, ...this.#draining].map(({ config, listener }) => ({
      listener: config.name,
      open: listener.sessions,
    }));
  }

  /** Throws a Failure where a port cannot be opened; then none is left open. */
  async open(plan: DoorPlan): Promise<void> {
    this.#doors = await this.#openAll(plan, plan.config.listeners);
  }

  /**
   * Opens the ports that are new in the plan; what their sessions wait for is in their services. Throws
   * a DoorRefusal where one cannot be opened.
   */
  async prepare(plan: DoorPlan): Promise<PreparedDoors> {
    const { config, tls } = plan;
    const stays = new Map<ListenerConfig, Door>();
    for (const wanted of config.listeners) {
      const door = this.#doors.find((each) => this.#isSamePort(each, wanted));
      if (door !== undefined) stays.set(wanted, door);
    }
    const removed = this.#doors.filter((door) => ![...stays.values()].includes(door));
    const held = removed.find((door) => this.#isPassed(door.config));
    if (held !== undefined) {
      const text = `needs a restart: systemd holds the port of the listener "${held.config.name}", which can be neither moved, renamed nor removed`;
      throw new Failure('listen-failed', text);
    }
    const fresh = config.listeners.filter((wanted) => !stays.has(wanted));
    let opened: readonly Door[];
    try {
      opened = await this.#openAll(plan, fresh);
    } catch (error) {
      throw explainRefusal(error, config, removed);
    }
    return {
      commit: () => {
        for (const [wanted, door] of stays) {
          door.config = wanted;
          door.tls = tls.get(wanted.name)!;
          door.listener.change(listenerSettingsOf(config, wanted, this.#lane));
        }
        this.#doors = config.listeners.map(
          (wanted) => stays.get(wanted) ?? opened.find((door) => door.config === wanted)!,
        );
        for (const door of removed) this.#drain(door, config.timeouts.server.sessionMs);
      },
      abandon: () => void closeAll(opened, 0),
    };
  }

  /** Those that are drained already get no longer than the others. */
  async stop(graceMs: number): Promise<void> {
    await closeAll([...this.#doors, ...this.#draining], graceMs);
  }

  #isPassed({ name }: ListenerConfig): boolean {
    return this.#lane.sockets.some((socket) => socket.name === name);
  }

  /** One that takes any free port, or systemd's, is known by its name. */
  #isSamePort({ config, listener }: Door, wanted: ListenerConfig): boolean {
    if (config.host !== wanted.host) return false;
    if (this.#isPassed(config) && config.name !== wanted.name) return false;
    if (wanted.port !== 0) return listener.address.port === wanted.port;
    return config.port === 0 && config.name === wanted.name;
  }

  /** A session under way may go on for as long as any other. */
  #drain(door: Door, graceMs: number): void {
    this.#draining.add(door);
    void door.listener.stop(graceMs).then(() => this.#draining.delete(door));
  }

  async #openAll(
    { config, tls, servicesOf }: DoorPlan,
    listeners: readonly ListenerConfig[],
  ): Promise<readonly Door[]> {
    const doors: Door[] = [];
    try {
      for (const wanted of listeners) {
        const settings = listenerSettingsOf(config, wanted, this.#lane);
        const own = tls.get(wanted.name)!;
        const at: { door?: Door } = {};
        const services = servicesOf(() => at.door?.tls ?? own);
        at.door = { config: wanted, tls: own, listener: await startListener(settings, services) };
        doors.push(at.door);
      }
      return doors;
    } catch (error) {
      await closeAll(doors, 0);
      if (!(error instanceof Failure)) throw error;
      const refused = listeners[doors.length]!;
      const place = config.listeners.indexOf(refused);
      throw new DoorRefusal(place, await explainPort(error, refused));
    }
  }
}

async function closeAll(doors: readonly Door[], graceMs: number): Promise<void> {
  await Promise.all(doors.map((door) => door.listener.stop(graceMs)));
}

/** What only the start can do is said in these words. */
function explainRefusal(error: unknown, config: Config, removed: readonly Door[]): unknown {
  if (!(error instanceof DoorRefusal)) return error;
  const { name, host, port } = config.listeners[error.place]!;
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code;
  const holder = removed.find((door) => door.listener.address.port === port);
  const needsRestart = (why: string): DoorRefusal => {
    const text = `needs a restart: the listener "${name}" cannot be opened on ${host} port ${port}, ${why}`;
    return new DoorRefusal(error.place, error, text);
  };
  if (code === 'EACCES') {
    return needsRestart('a port below 1024, without the rights that the start had');
  }
  if (code === 'EADDRINUSE' && holder !== undefined) {
    return needsRestart(
      `which the listener "${holder.config.name}" on ${holder.config.host} has until it is drained`,
    );
  }
  return error;
}
