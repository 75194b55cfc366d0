/** Commands that edit the configuration file: found, changed, checked whole, written, then reloaded. */
import type { Policy } from '../policy/policy.ts';
import { checkFiles } from '../config/check-files.ts';
import type { Config } from '../config/config.ts';
import type { LoadResult } from '../config/load.ts';
import { loadConfig, parseConfig } from '../config/load.ts';
import type { ConfigProblem } from '../config/problem.ts';
import { formatProblem } from '../config/problem.ts';
import { editFile } from '../config/replace-file.ts';
import { Failure } from '../mail/failure.ts';
import type { CommandContext } from './command-context.ts';
import { configPlaces, findConfigFile } from './find-gateway.ts';

/** The file that `--config` or the search names. Throws `config-missing`. */
export async function configFileOf(
  context: CommandContext,
  option: string | undefined,
): Promise<string> {
  const file = await findConfigFile(option, context.surroundings);
  if (file !== null) return file;
  const message = `there is no configuration file: none of ${configPlaces.join(', ')} exists`;
  throw new Failure('config-missing', message);
}

export interface Loaded {
  readonly config: Config;
  readonly policy: Policy;
}

/** What stands in the file alone. Throws `config-unusable`. */
export async function loadWhole(file: string): Promise<Loaded> {
  return requireLoaded(await loadConfig(file));
}

/** Throws `config-unusable` with the first thing that is wrong. */
export function requireLoaded(result: LoadResult): Loaded {
  if (result.kind === 'loaded') return result;
  const problem = result.problems.find((each) => each.severity === 'error');
  const first = problem === undefined ? 'it does not load' : formatProblem(problem);
  throw new Failure('config-unusable', `the configuration cannot be used: ${first}`);
}

/**
 * `change` gets what is in force in the file and its text. Nothing is written unless the gateway
 * would take the result, and nothing by a dry run. Throws `config-unusable` with every problem.
 */
export async function changeConfig(
  { nowMs, isDryRun }: { readonly nowMs: () => number; readonly isDryRun: boolean },
  file: string,
  change: (loaded: Loaded, text: string) => string,
): Promise<void> {
  await editFile(file, async (text) => {
    const edited = change(parseWhole(text, file), text);
    const { config } = parseWhole(edited, file);
    throwErrors(await checkFiles(config, nowMs()));
    return isDryRun ? text : edited;
  });
}

function parseWhole(text: string, file: string): Loaded {
  const result = parseConfig(text.replace(/^\ufeff/, ''), file);
  if (result.kind === 'loaded') return result;
  throwErrors(result.problems);
  throw new Failure('config-unusable', `${file} cannot be used`);
}

function throwErrors(problems: readonly ConfigProblem[]): void {
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return;
  const lines = errors.map(formatProblem).join('\n');
  throw new Failure(
    'config-unusable',
    `nothing was changed, since the result would be wrong:\n${lines}`,
  );
}
