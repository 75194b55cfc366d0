/** How many lanes a gateway has. */
import { availableParallelism } from 'node:os';
import type { Config } from '../config/config.ts';
import { shardsMax } from '../mail/queue-id.ts';

/** One lane up to two cores, else half the cores; or as configured. */
export function laneCount(config: Config): number {
  if (config.lanes !== 'auto') return config.lanes;
  return Math.max(1, Math.min(shardsMax, Math.floor(availableParallelism() / 2)));
}
