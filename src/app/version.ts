/** The program's version, from package.json. */
import { readFileSync } from 'node:fs';
import { Failure } from '../mail/failure.ts';

const manifest = new URL('../../package.json', import.meta.url);

export const version = (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;

/** Which program is too old for a store is what the administrator must know. */
export function namingVersion(error: unknown): unknown {
  if (!(error instanceof Failure) || error.code !== 'store-newer') return error;
  return new Failure(error.code, `${error.message} (this is Postern ${version})`, { cause: error });
}
