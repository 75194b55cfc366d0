/**
 * Gateways elsewhere, each under a name: `profiles.yaml` in the user's own configuration folder.
 *
 * It holds no secret: a token stays in a file of its own, which nobody else may read. Who could write
 * the profiles could send the token elsewhere, so that is looked at as well.
 */
import { mkdir, open, readFile, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import type { HttpsSettings } from '../api/client/https-caller.ts';
import { parseGatewayUrl } from '../api/client/https-caller.ts';
import { readYaml } from '../config/read-yaml.ts';
import { editFile } from '../config/replace-file.ts';
import { Failure } from '../mail/failure.ts';
import type { Surroundings } from './find-gateway.ts';

const isPin = (text: string): boolean => /^[A-Za-z0-9+/]{43}=$/.test(text);

const profileSchema = z.strictObject({
  url: z.string().max(300),
  tokenFile: z.string().min(1).max(1000),
  caFile: z.string().min(1).max(1000).optional(),
  pin: z.string().refine(isPin, 'is no pin: base64 of the SHA-256 of a public key').optional(),
});

/** Paths are absolute. Without `caFile` and `pin` the CAs of the system count. */
export type Profile = z.output<typeof profileSchema>;

const fileSchema = z.strictObject({
  profiles: z.record(z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/i), profileSchema).default({}),
});

export type Profiles = Readonly<Record<string, Profile>>;

const fileBytesMax = 256 * 1024;

/** Throws `profile-unusable` where nobody is at home. */
export function profilesFile({ env }: Surroundings): string {
  const { XDG_CONFIG_HOME: own, HOME: home } = env;
  if (own !== undefined && isAbsolute(own)) return join(own, 'postern', 'profiles.yaml');
  if (home !== undefined && isAbsolute(home)) {
    return join(home, '.config', 'postern', 'profiles.yaml');
  }
  throw new Failure('profile-unusable', 'there is no home folder ($HOME) to keep profiles in');
}

/** Empty where there is no file. Throws `profile-unusable`. */
export async function readProfiles(surroundings: Surroundings): Promise<Profiles> {
  const file = profilesFile(surroundings);
  const text = await readOwn(file, 0o022, 'profile-unusable').catch((error: unknown) => {
    if (error instanceof Failure && isMissing(error.cause)) return '';
    throw error;
  });
  return parse(text, file);
}

/** Changes all of them at once, in a file that is made where there is none. */
export async function editProfiles(
  surroundings: Surroundings,
  edit: (profiles: Profiles) => Profiles,
): Promise<void> {
  const file = profilesFile(surroundings);
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
  await open(file, 'wx', 0o600).then(
    (handle) => handle.close(),
    (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    },
  );
  await readProfiles(surroundings);
  await editFile(file, (text) => stringify({ profiles: edit(parse(text, file)) }));
}

/** What the client needs of a profile. Throws `profile-unknown`, `profile-unusable`, `token-unusable`. */
export async function openProfile(
  name: string,
  surroundings: Surroundings,
): Promise<HttpsSettings> {
  const profiles = await readProfiles(surroundings);
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (profile === undefined) {
    const known = Object.keys(profiles).join(', ') || 'none';
    throw new Failure('profile-unknown', `there is no profile "${name}" (there is: ${known})`);
  }
  return settingsOf(profile);
}

/** Reads token and CA. Throws `token-unusable` and `profile-unusable`. */
export async function settingsOf({ url, tokenFile, caFile, pin }: Profile): Promise<HttpsSettings> {
  parseGatewayUrl(url);
  const token = (await readOwn(tokenFile, 0o077, 'token-unusable')).trim();
  if (!/^[\x21-\x7e]{8,1024}$/.test(token)) {
    throw new Failure('token-unusable', `${tokenFile} holds no token alone on one line`);
  }
  if (pin !== undefined) return { url, token, trust: { kind: 'pin', pin } };
  const ca = caFile === undefined ? null : await readOwn(caFile, 0o022, 'profile-unusable');
  if (ca !== null && !ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw new Failure('profile-unusable', `${caFile ?? ''} holds no certificate in PEM`);
  }
  return { url, token, trust: { kind: 'ca', ca } };
}

function parse(text: string, file: string): Profiles {
  const yaml = readYaml(text);
  const [finding] = yaml.findings;
  if (finding !== undefined) {
    throw new Failure('profile-unusable', `${file}:${finding.place.line}: ${finding.text}`);
  }
  const parsed = fileSchema.safeParse(yaml.value ?? {});
  if (parsed.success) return parsed.data.profiles;
  const issue = parsed.error.issues[0];
  const where = issue?.path.map(String).join('.') ?? '';
  throw new Failure('profile-unusable', `${file}: ${where}: ${issue?.message ?? 'is wrong'}`);
}

/** `forbidden` are the rights that others may not have. */
async function readOwn(file: string, forbidden: number, code: string): Promise<string> {
  try {
    const stats = await stat(file);
    const [mode, own] = [stats.mode & 0o777, process.geteuid?.() ?? stats.uid];
    if (!stats.isFile()) throw new Error('it is not a file');
    if (stats.size > fileBytesMax) throw new Error('it is too large');
    if (stats.uid !== own && stats.uid !== 0) throw new Error(`it belongs to user ${stats.uid}`);
    if ((mode & forbidden) !== 0) {
      const what = forbidden === 0o077 ? 'read' : 'write';
      throw new Error(`others may ${what} it (mode ${mode.toString(8)}); chmod 600 mends that`);
    }
    return await readFile(file, 'utf8');
  } catch (cause) {
    const why = isMissing(cause) ? 'there is no such file' : (cause as Error).message;
    const text = `${file}: ${why}`;
    if (code === 'token-unusable') throw new Failure('token-unusable', text, { cause });
    throw new Failure('profile-unusable', text, { cause });
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
}
