/** People of a running gateway: with the key, the provider's secret, and what is in force. */
import { readFile } from 'node:fs/promises';
import type { ApiConfig, Config } from '../../config/config.ts';
import { Failure } from '../../mail/failure.ts';
import type { ControlFile } from '../../store/control/control-file.ts';
import { foldersOf } from '../data-folder.ts';
import type { Reloader } from '../reloader.ts';
import { openBoxKey } from './box-key.ts';
import type { OidcSettings } from './oidc-desk.ts';
import type { OpenPeople } from './open-people.ts';
import { openPeople } from './open-people.ts';

export interface PeopleSurroundings {
  readonly control: ControlFile;
  readonly reloader: Pick<Reloader, 'inForce'>;
  /** Where the API is answered over TLS; null where it is not. */
  readonly port: () => number | null;
}

/** Rejects with a Failure where the key or the provider's secret cannot be read. */
export async function openPeopleOfGateway({
  control,
  reloader,
  port,
}: PeopleSurroundings): Promise<OpenPeople> {
  const { config } = reloader.inForce;
  const { sessionIdleMs, sessionMaxMs } = config.signIn;
  return openPeople({
    control,
    boxKey: await openBoxKey(foldersOf(config.dataFolder).identityKey),
    hostName: config.hostName,
    sessionRules: { idleMs: Math.min(sessionIdleMs, sessionMaxMs), maxMs: sessionMaxMs },
    hasOrganization: (id) => reloader.inForce.policy.organizations.some((each) => each.id === id),
    publicUrl: () => publicUrlOf(reloader.inForce.config.api, port()),
    oidc: await readOidc(config),
    nowMs: () => Date.now(),
  });
}

/** As clients ask: the first of the names, with the port unless it has one. Null without an API on the network. */
export function publicUrlOf(api: ApiConfig | null, port: number | null): string | null {
  const name = api?.hostNames[0];
  if (api === null || port === null || name === undefined) return null;
  const hasPort = /[^:]:\d+$|\]:\d+$/.test(name);
  const host = hasPort || port === 443 ? name : `${name}:${port}`;
  return `https://${host}`;
}

/** Null where no provider is configured. */
async function readOidc({ signIn }: Config): Promise<OidcSettings | null> {
  const { issuer, clientId, clientSecretFile, label } = signIn.oidc;
  if (issuer === null || clientId === null) return null;
  return { issuer, clientId, clientSecret: await readSecret(clientSecretFile), label };
}

async function readSecret(file: string | null): Promise<string | null> {
  if (file === null) return null;
  try {
    const secret = (await readFile(file, 'utf8')).trim();
    if (secret === '') throw new Error('it is empty');
    return secret;
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    const what = `signIn.oidc.clientSecretFile ${file} cannot be used: ${text}`;
    throw new Failure('oidc-secret-unusable', what, { cause });
  }
}
