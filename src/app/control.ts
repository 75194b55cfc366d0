/**
 * The control process: holds the data folder, runs the lanes, serves the API, ends gracefully.
 *
 * It never touches SMTP; what it knows of mail it reads from the shards.
 */
import type { Config } from '../config/config.ts';
import type { Failure } from '../mail/failure.ts';
import type { Policy } from '../policy/policy.ts';
import type { FileLock } from '../store/file-lock.ts';
import { backUpBeforeMigration } from './backup/before-migration.ts';
import type { StoreChange } from './backup/before-migration.ts';
import { existingShards, makeDataFolder, takeDataFolder } from './data-folder.ts';
import { gatewayServices } from './gateway-services.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import { careForCertificates } from './certificate-care.ts';
import { careForDomains } from './domains/domain-care.ts';
import { ApiDoors } from './api-doors.ts';
import { forLanes } from './configuration.ts';
import type { Configuration } from './configuration.ts';
import { warnOfHosts } from './hosts/host-warnings.ts';
import { laneCount } from './lane-count.ts';
import { openStubResolver } from './lane-resolver.ts';
import { startLane } from './lane-process.ts';
import { openLastInForce } from './last-in-force.ts';
import type { LaneProcess } from './lane-process.ts';
import type { ListenerAddress } from './messages.ts';
import { startMonitoring } from './metrics-server.ts';
import type { MonitoringServer } from './metrics-server.ts';
import { monitoringSources } from './monitoring.ts';
import type { MonitoredParts } from './monitoring.ts';
import { findUserIds } from './privileges.ts';
import type { KeptPolicy } from './policy/kept-policy.ts';
import { openPeopleOfGateway } from './people/people-of-gateway.ts';
import { openKeptPolicy, reloadBySignal, reloadingOf } from './policy/kept-policy.ts';
import type { ReloadOutcome, ReloadParts } from './reloader.ts';
import { Reloader } from './reloader.ts';
import { openShardReaders } from './shard-readers.ts';
import { openValidations } from './validation/open-validations.ts';

export interface Gateway {
  readonly listeners: readonly ListenerAddress[];
  readonly socketPath: string;
  /** What this start changes in the store; null where nothing. */
  readonly storeChange: StoreChange | null;
  /** Where `/metrics` is answered; null where it is not. */
  readonly metricsPort: number | null;
  /** Where the API is answered over TLS; null where it is not. */
  readonly apiPort: number | null;
  /** By which the first administrator comes; null where there is somebody, or nobody can come. */
  readonly firstLink: string | null;
  /** Resolves when everything has ended, after `stop` or a failure that no restart mends. */
  readonly ended: Promise<Failure | null>;
  /** Reads the configuration again and puts it in force, or says why not. */
  reload(): Promise<ReloadOutcome>;
  stop(): Promise<void>;
}

const stopGraceMs = 20_000;

/** Resolves when every listener and the API answer. Throws a Failure. */
export async function startGateway(given: GatewaySettings): Promise<Gateway> {
  const { log } = given;
  const { config } = given.configuration;
  const { hold, storeChange, kept } = await openFolder(given);
  const { control, policies, proven } = kept;
  const settings = { ...given, configuration: kept.configuration };
  const prove = (policy: Policy): Policy => proven.applyTo(policy);
  const lastInForce = openLastInForce(config.dataFolder, { log, revisions: policies, prove });
  const ended = Promise.withResolvers<Failure | null>();
  const shards = await shardsOf(config);
  const lanes = startLanes(settings, shards, (failure) => ended.resolve(failure));
  const readers = openShardReaders(config.dataFolder, shards);
  const doors = new ApiDoors(settings);
  try {
    const listeners = (await Promise.all(lanes.map((lane) => lane.ready)))[0] ?? [];
    await doors.openPort(settings.configuration);
    settings.dropPrivileges();
    await lastInForce.tellStart(settings.configuration);
    await lastInForce.keep(settings.configuration);
    const { openResolver = openStubResolver } = settings;
    const onSwap = (next: Configuration): void => {
      log.adjust(next.config.log);
      domains.onSwap(next);
      policies.noteInForce(next.policy.revision, log);
      doors.onSwap(next);
      void lastInForce.keep(next);
    };
    const lookUp: ReloadParts['lookUp'] = (next) => warnOfHosts(next, openResolver);
    const reloading = { ...reloadingOf(kept), lookUp, lanes, log, onSwap };
    const reloader = new Reloader(settings.configuration, listeners, reloading);
    const domains = careForDomains({ reloader, book: proven, log, openResolver });
    const care = careForCertificates({ reloader, log });
    const validating = openValidations(kept, { lanes, reloader, log });
    const people = await openPeopleOfGateway({ control, reloader, port: () => doors.port });
    const running = { lanes, readers, reloader, care, domains, kept, people, ...validating };
    const services = gatewayServices(log, running);
    const monitoring = await openMonitoring(config, { lanes, readers, reloader });
    const api = await doors.start(services);
    const stop = once(async () => {
      for (const each of [care, domains, people, validating]) each.close();
      await Promise.all([monitoring?.close(), api.close()]);
      await Promise.all(lanes.map((lane) => lane.stop(stopGraceMs)));
      await readers.close();
      await lastInForce.written();
      control.close();
      hold.release();
      ended.resolve(null);
    });
    return {
      listeners,
      socketPath: doors.socketPath,
      metricsPort: monitoring?.port ?? null,
      apiPort: doors.port,
      firstLink: doors.port === null ? null : people.inviteFirst(),
      storeChange,
      ended: ended.promise,
      reload: () => reloadBySignal(kept, reloader, log),
      stop,
    };
  } catch (error) {
    await Promise.all([doors.close(), ...lanes.map((lane) => lane.stop(1000))]);
    await readers.close();
    control.close();
    hold.release();
    throw error;
  }
}

interface OpenedFolder {
  readonly hold: FileLock;
  readonly storeChange: StoreChange | null;
  readonly kept: KeptPolicy;
}

/** The data folder, held by this process, with what the control process keeps there. */
async function openFolder(given: GatewaySettings): Promise<OpenedFolder> {
  const { config, policy } = given.configuration;
  await makeDataFolder(config.dataFolder, findUserIds(given.user));
  const hold = await takeDataFolder(config.dataFolder);
  try {
    const storeChange = await backUpBeforeMigration(config, policy.revision, given.log);
    return { hold, storeChange, kept: await openKeptPolicy(given) };
  } catch (error) {
    hold.release();
    throw error;
  }
}

/** Null where none is configured. */
function openMonitoring(config: Config, parts: MonitoredParts): Promise<MonitoringServer | null> {
  const { host, port } = config.metrics;
  if (port === null) return Promise.resolve(null);
  return startMonitoring({ host, port }, monitoringSources(parts));
}

function once(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  return () => (running ??= action());
}

function startLanes(
  settings: GatewaySettings,
  shards: readonly number[],
  onFinalFailure: (failure: Failure) => void,
): readonly LaneProcess[] {
  const { user, configuration, sockets } = settings;
  const inForce = forLanes(configuration);
  const share = 1 / shards.length;
  return shards.map((shard) => {
    const isOnlyLane = shards.length === 1;
    const start = { kind: 'start', shard, ...inForce, share, isOnlyLane, sockets, user } as const;
    return (settings.startLane ?? startLane)(start, { onFinalFailure }, settings.log);
  });
}

/** A lane for each shard: as many as configured, and one for each file that an earlier setting left. */
async function shardsOf(config: Config): Promise<readonly number[]> {
  const left = await existingShards(config.dataFolder);
  const count = Math.max(laneCount(config), ...left.map((shard) => shard + 1));
  return Array.from({ length: count }, (_, shard) => shard);
}
