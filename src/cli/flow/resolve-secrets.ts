/** Secrets of a policy file: by reference only, so that the file can be kept anywhere. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { describeObject } from '../../config/policy-object.ts';
import type { PolicyObject } from '../../config/policy-object.ts';
import { redacted } from '../../config/redacted.ts';
import { Failure } from '../../mail/failure.ts';

const secretKey = 'passwordHash';

/**
 * `file:PATH` (from the policy file on) and `env:NAME` are read; a secret that is left out stays what it
 * is. Throws a Failure `flow-refused` for one that is written out, or cannot be read.
 */
export async function resolveSecrets(
  objects: readonly PolicyObject[],
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly PolicyObject[]> {
  return Promise.all(
    objects.map(async (object) => {
      const written = object.value[secretKey];
      if (object.kind !== 'mailbox' || typeof written !== 'string') return object;
      if (written === redacted) {
        const { [secretKey]: _left, ...value } = object.value;
        return { ...object, value };
      }
      const secret = await readSecret(written, { object, file, env });
      return { ...object, value: { ...object.value, [secretKey]: secret } };
    }),
  );
}

interface Around {
  readonly object: PolicyObject;
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

async function readSecret(written: string, { object, file, env }: Around): Promise<string> {
  const what = `${describeObject(object)}: ${secretKey}`;
  if (written.startsWith('env:')) {
    const value = env[written.slice(4)];
    if (value !== undefined && value !== '') return value;
    throw new Failure('flow-refused', `${what}: the environment has no ${written.slice(4)}`);
  }
  if (!written.startsWith('file:')) {
    const text = `${what}: is written out; name it by file:PATH or env:NAME, or leave it out to keep what it is`;
    throw new Failure('flow-refused', text);
  }
  const path = resolve(dirname(file), written.slice(5));
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure('flow-refused', `${what}: ${why}`);
  }
}
