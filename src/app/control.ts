/**
 * The control process: holds the data folder, runs the lanes, serves the API, ends gracefully.
 *
 * It never touches SMTP; what it knows of mail it reads from the shards.
 */
import { availableParallelism } from 'node:os';
import { startApi } from '../api/server.ts';
import type { Config } from '../config/config.ts';
import type { Failure } from '../mail/failure.ts';
import { shardsMax } from '../mail/queue-id.ts';
import { existingShards, foldersOf, makeDataFolder, takeDataFolder } from './data-folder.ts';
import { gatewayServices } from './gateway-services.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import { allFailures } from './all-failures.ts';
import { startLane } from './lane-process.ts';
import type { LaneProcess } from './lane-process.ts';
import type { ListenerAddress } from './messages.ts';
import { findUserIds } from './privileges.ts';
import { openShardReaders } from './shard-readers.ts';

export interface Gateway {
  readonly listeners: readonly ListenerAddress[];
  readonly socketPath: string;
  /** Resolves when everything has ended, after `stop` or a failure that no restart mends. */
  readonly ended: Promise<Failure | null>;
  stop(): Promise<void>;
}

const stopGraceMs = 20_000;

/** Resolves when every listener and the API answer. Throws a Failure. */
export async function startGateway(settings: GatewaySettings): Promise<Gateway> {
  const { config, log } = settings;
  await makeDataFolder(config.dataFolder, findUserIds(settings.user));
  const hold = takeDataFolder(config.dataFolder);
  const ended = Promise.withResolvers<Failure | null>();
  const shards = await shardsOf(config);
  const lanes = startLanes(settings, shards, (failure) => ended.resolve(failure));
  const readers = openShardReaders(config.dataFolder, shards);
  const socketPath = foldersOf(config.dataFolder).socket;
  try {
    const listeners = (await Promise.all(lanes.map((lane) => lane.ready)))[0] ?? [];
    settings.dropPrivileges();
    const services = gatewayServices(settings, { lanes, readers, listeners });
    const api = await startApi({ socketPath, failures: allFailures, log }, services);
    const stop = once(async () => {
      await api.close();
      await Promise.all(lanes.map((lane) => lane.stop(stopGraceMs)));
      await readers.close();
      hold.release();
      ended.resolve(null);
    });
    return { listeners, socketPath, ended: ended.promise, stop };
  } catch (error) {
    await Promise.all(lanes.map((lane) => lane.stop(1000)));
    await readers.close();
    hold.release();
    throw error;
  }
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
  const { config, policy, user } = settings;
  const share = 1 / shards.length;
  return shards.map((shard) => {
    const isOnlyLane = shards.length === 1;
    const start = { kind: 'start', shard, config, policy, share, isOnlyLane, user } as const;
    return (settings.startLane ?? startLane)(start, { onFinalFailure }, settings.log);
  });
}

/** A lane for each shard: as many as configured, and one for each file that an earlier setting left. */
async function shardsOf(config: Config): Promise<readonly number[]> {
  const left = await existingShards(config.dataFolder);
  const count = Math.max(laneCount(config), ...left.map((shard) => shard + 1));
  return Array.from({ length: count }, (_, shard) => shard);
}

/** One lane up to two cores, else half the cores; or as configured. */
function laneCount(config: Config): number {
  if (config.lanes !== 'auto') return config.lanes;
  return Math.max(1, Math.min(shardsMax, Math.floor(availableParallelism() / 2)));
}
