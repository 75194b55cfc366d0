/** Every target, by name. */
import type { FuzzTarget } from '../target.ts';
import { clientTargets } from './client.ts';
import { messageTargets } from './message.ts';
import { ruleTargets } from './rules.ts';
import { serverTargets } from './server.ts';
import { smtpTargets } from './smtp.ts';
import { surroundingsTargets } from './surroundings.ts';
import { trustTargets } from './trust.ts';
import { valueTargets } from './values.ts';

export const allTargets: readonly FuzzTarget[] = [
  ...smtpTargets,
  ...serverTargets,
  ...clientTargets,
  ...valueTargets,
  ...messageTargets,
  ...ruleTargets,
  ...surroundingsTargets,
  ...trustTargets,
];

/** Null where there is none of that name. */
export function findTarget(name: string): FuzzTarget | null {
  return allTargets.find((target) => target.name === name) ?? null;
}
