/**
 * Today's policy for commands that compare records with it: of the running gateway, else of the
 * configuration file.
 */
import { createApiClient } from '../api/client.ts';
import { asIfProven } from '../config/domain-verification.ts';
import { loadConfig, parseConfig } from '../config/load.ts';
import { Failure } from '../mail/failure.ts';
import type { Policy } from '../policy/policy.ts';
import type { CommandContext } from './command-context.ts';
import { findConfigFile, findSocket } from './find-gateway.ts';
import type { RecordPlace } from './read-recorded-mail.ts';

/** Null where there is none, or none that can be read. Domains count as proven. */
export async function readPolicyInForce(
  context: CommandContext,
  place: RecordPlace,
): Promise<Policy | null> {
  const running = place.data === undefined ? await readRunning(context, place) : null;
  return running ?? (await readFile(context, place));
}

async function readRunning(
  { surroundings }: CommandContext,
  { socket, config }: RecordPlace,
): Promise<Policy | null> {
  const socketPath = await findSocket(
    { ...(socket === undefined ? {} : { socket }), ...(config === undefined ? {} : { config }) },
    surroundings,
  );
  try {
    const view = await createApiClient({ socketPath }).readConfig({ defaults: 'false' });
    const loaded = parseConfig(JSON.stringify(withoutHashes(view.config)), view.file);
    return loaded.kind === 'loaded' ? asIfProven(loaded.policy) : null;
  } catch (error) {
    if (error instanceof Failure && error.code === 'gateway-not-running') return null;
    throw error;
  }
}

async function readFile(context: CommandContext, { config }: RecordPlace): Promise<Policy | null> {
  const file = await findConfigFile(config, context.surroundings);
  const loaded = file === null ? null : await loadConfig(file);
  return loaded?.kind === 'loaded' ? asIfProven(loaded.policy) : null;
}

/** What the gateway shows in place of a secret is no hash; without any nobody signs in, which is all the same here. */
function withoutHashes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutHashes);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => key !== 'passwordHash');
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutHashes(inner)]));
}
