/** Reloads of a running gateway for interop tests. */
import { writeFile } from 'node:fs/promises';
import { problemsOfFailure } from '../../src/api/client.ts';
import type { Reloaded } from '../../src/api/contract.ts';
import type { ConfigProblemView } from '../../src/api/contract/config-problem.ts';
import { Failure } from '../../src/mail/failure.ts';
import type { RunningGateway } from './gateway.ts';

/** Writes the configuration and puts it in force; throws with all problems where it is refused. */
export async function reload(gateway: RunningGateway, config: object): Promise<Reloaded> {
  await writeFile(gateway.configFile, `${JSON.stringify(config, null, 2)}\n`);
  try {
    return await gateway.api.reloadConfig({ reason: 'as the test wants it' });
  } catch (cause) {
    const problems = cause instanceof Failure ? problemsOfFailure(cause) : [];
    throw new Error(`the reload was refused: ${JSON.stringify(problems)}`, { cause });
  }
}

/** The same for one that must be refused: what is wrong with it. */
export async function reloadRefused(
  gateway: RunningGateway,
  config: object,
): Promise<readonly ConfigProblemView[]> {
  await writeFile(gateway.configFile, `${JSON.stringify(config, null, 2)}\n`);
  try {
    await gateway.api.reloadConfig();
  } catch (error) {
    if (error instanceof Failure) return problemsOfFailure(error);
    throw error;
  }
  throw new Error('the reload was not refused');
}
