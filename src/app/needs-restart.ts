/** What a reload cannot change, and says so instead of ignoring it. */
import type { Config } from '../config/config.ts';
import type { Path } from '../config/problem.ts';
import { laneCount } from './lane-count.ts';

interface FixedKey {
  readonly path: Path;
  readonly valueIn: (config: Config) => string | number | null;
}

const fixedKeys: readonly FixedKey[] = [
  { path: ['dataFolder'], valueIn: (config) => config.dataFolder },
  { path: ['user'], valueIn: (config) => config.user },
  { path: ['lanes'], valueIn: laneCount },
  { path: ['metrics', 'host'], valueIn: ({ metrics }) => metrics.host },
  { path: ['metrics', 'port'], valueIn: ({ metrics }) => metrics.port },
  { path: ['api', 'host'], valueIn: ({ api }) => api?.host ?? null },
  { path: ['api', 'port'], valueIn: ({ api }) => api?.port ?? null },
  { path: ['signIn', 'sessionIdle'], valueIn: ({ signIn }) => signIn.sessionIdleMs },
  { path: ['signIn', 'sessionMax'], valueIn: ({ signIn }) => signIn.sessionMaxMs },
  { path: ['signIn', 'oidc', 'issuer'], valueIn: ({ signIn }) => signIn.oidc.issuer },
  { path: ['signIn', 'oidc', 'clientId'], valueIn: ({ signIn }) => signIn.oidc.clientId },
  {
    path: ['signIn', 'oidc', 'clientSecretFile'],
    valueIn: ({ signIn }) => signIn.oidc.clientSecretFile,
  },
  { path: ['signIn', 'oidc', 'label'], valueIn: ({ signIn }) => signIn.oidc.label },
  { path: ['trace', 'retention'], valueIn: (config) => config.trace.retentionMs },
  { path: ['limits', 'storeQueueRecords'], valueIn: ({ limits }) => limits.storeQueueRecords },
  { path: ['limits', 'storeQueue'], valueIn: ({ limits }) => limits.storeQueueBytes },
];

/** A sentence for each key whose change only a restart can put in force; empty where none is. */
export function findFixedChanges(
  inForce: Config,
  next: Config,
): readonly { readonly path: Path; readonly text: string }[] {
  return fixedKeys.flatMap(({ path, valueIn }) => {
    const [old, wanted] = [valueIn(inForce), valueIn(next)];
    if (old === wanted) return [];
    const text = `needs a restart: it is ${show(old)} since the start, and a reload cannot make it ${show(wanted)}`;
    return [{ path, text }];
  });
}

function show(value: string | number | null): string {
  return value === null ? 'not set' : JSON.stringify(value);
}
