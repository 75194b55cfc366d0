/**
 * Today's policy for commands that compare records with it: of the running gateway, else what a start on
 * the configuration file would put in force.
 */
import { asIfProven } from '../config/domain-verification.ts';
import type { LoadResult } from '../config/load.ts';
import { parseConfig } from '../config/load.ts';
import { leaveOutSecrets } from '../config/object-secrets.ts';
import { splitPolicy } from '../config/split-policy.ts';
import type { ChoosePolicy } from '../config/stored-policy.ts';
import { Failure } from '../mail/failure.ts';
import type { Policy } from '../policy/policy.ts';
import type { CommandContext } from './command-context.ts';
import { connectGateway } from './command-context.ts';
import { findConfigFile } from './find-gateway.ts';
import type { RecordPlace } from './read-recorded-mail.ts';

/**
 * Null where there is none, or none that can be judged here. Domains count as proven. Throws where a
 * gateway elsewhere is meant and does not answer, and where what is kept beside the file cannot be read.
 */
export async function readPolicyInForce(
  context: CommandContext,
  place: RecordPlace,
): Promise<Policy | null> {
  const running = place.data === undefined ? await readRunning(context, place) : null;
  const result = running ?? (await readKept(context, place));
  return result?.kind === 'loaded' ? asIfProven(result.policy) : null;
}

/** Null where no gateway runs here. */
async function readRunning(
  context: CommandContext,
  place: RecordPlace,
): Promise<LoadResult | null> {
  try {
    const client = await connectGateway(context, place);
    const { config, file } = await client.readConfig({ defaults: 'false' });
    return parseConfig(JSON.stringify(config), file, chooseWithoutSecrets);
  } catch (error) {
    if (error instanceof Failure && error.code === 'gateway-not-running') return null;
    throw error;
  }
}

/** What a gateway shows in place of a secret is none; without any nobody signs in, which is all the same here. */
const chooseWithoutSecrets: ChoosePolicy = (written) => ({
  kind: 'stored',
  objects: splitPolicy(written).map((object) => ({
    ...object,
    value: leaveOutSecrets(object.kind, object.value),
  })),
});

async function readKept(
  context: CommandContext,
  { config }: RecordPlace,
): Promise<LoadResult | null> {
  const file = await findConfigFile(config, context.surroundings);
  return file === null ? null : context.offline.loadInForce(file);
}
