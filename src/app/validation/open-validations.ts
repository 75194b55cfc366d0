/** Joins validations with the running gateway, and starts their schedule. */
import type { Log } from '../../report/log.ts';
import type { LaneProcess } from '../lane-process.ts';
import type { KeptPolicy } from '../policy/kept-policy.ts';
import { loadWithPolicy } from '../policy/kept-policy.ts';
import type { Reloader } from '../reloader.ts';
import { ValidationSchedule } from './schedule.ts';
import { Validations } from './validations.ts';

export interface OpenValidations {
  readonly validations: Validations;
  /** Ends the schedule; runs under way end with their lanes. */
  close(): void;
}

export function openValidations(
  kept: KeptPolicy,
  parts: {
    readonly lanes: readonly LaneProcess[];
    readonly reloader: Pick<Reloader, 'inForce'>;
    readonly log: Log;
  },
): OpenValidations {
  const { lanes, reloader, log } = parts;
  const { validations: runs, alarms } = kept.control;
  const validations = new Validations({
    lanes,
    inForce: () => reloader.inForce,
    load: (inForce, objects) => loadWithPolicy(kept, inForce, objects),
    runs,
    alarms,
    log,
  });
  const schedule = new ValidationSchedule({
    policy: () => reloader.inForce.policy,
    lastStartedAt: (key) => runs.lastStartedAt(key),
    start: (order) => validations.start(order),
    onTick: (policy) => validations.forgetGone(policy),
    log,
  });
  schedule.start();
  return { validations, close: () => schedule.close() };
}
