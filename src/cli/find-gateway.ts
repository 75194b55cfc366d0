/** Which configuration file is meant, and on which socket its gateway answers. */
import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { Failure } from '../mail/failure.ts';

/** The process's surroundings as far as the search looks at them. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
}

/** The places that are looked at, in this order, when no file is named. */
export const configPlaces = ['./postern.yaml', './data/postern.yaml', '/etc/postern/postern.yaml'];

/** The data folder of the embedded default. */
const defaultDataFolder = './data';

/**
 * The file named by `option`, else by `$POSTERN_CONFIG`, else the first of `configPlaces` that
 * exists; null where there is none. Throws `config-missing` for a named file that does not exist.
 */
export async function findConfigFile(
  option: string | undefined,
  surroundings: Surroundings,
): Promise<string | null> {
  const variable = surroundings.env['POSTERN_CONFIG'];
  const named = option ?? (variable === '' ? undefined : variable);
  if (named !== undefined) {
    const file = resolve(surroundings.workingFolder, named);
    if (await exists(file)) return file;
    const origin = option === undefined ? ' (named by $POSTERN_CONFIG)' : '';
    throw new Failure('config-missing', `there is no configuration file ${file}${origin}`);
  }
  for (const place of configPlaces) {
    const file = resolve(surroundings.workingFolder, place);
    if (await exists(file)) return file;
  }
  return null;
}

/**
 * The socket named by `--socket`, else that of the configuration's data folder, else of `./data`.
 * Throws `config-missing`, or `config-unusable` where the file does not tell its data folder.
 */
export async function findSocket(
  options: { readonly socket?: string | undefined; readonly config?: string | undefined },
  surroundings: Surroundings,
): Promise<string> {
  const { workingFolder } = surroundings;
  if (options.socket !== undefined) return resolve(workingFolder, options.socket);
  const file = await findConfigFile(options.config, surroundings);
  if (file === null) return socketIn(resolve(workingFolder, defaultDataFolder));
  const result = await loadConfig(file);
  if (result.kind === 'loaded') return socketIn(result.config.dataFolder);
  // The gateway goes on with its last good configuration: it must be found over a file with mistakes.
  if (result.dataFolder !== null) return socketIn(result.dataFolder);
  const problem = result.problems.find((each) => each.severity === 'error');
  const first = problem === undefined ? file : formatProblem(problem);
  throw new Failure('config-unusable', `the configuration cannot be used: ${first}`);
}

function socketIn(dataFolder: string): string {
  return join(dataFolder, 'run', 'api.sock');
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
