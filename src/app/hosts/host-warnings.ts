/**
 * Warns of hosts that a configuration names and DNS does not know, when it is checked or put in force.
 *
 * What DNS cannot say in time is no fault of the configuration, and no warning: `doctor` tells it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfigProblem } from '../../config/problem.ts';

import type { Configuration } from '../configuration.ts';
import type { ClosableResolver } from '../lane-resolver.ts';
import type { NamedHost } from './named-hosts.ts';
import { lookUpHost, namedHosts } from './named-hosts.ts';

/** All together; who checks or reloads waits for it. */
const lookUpWithinMs = 3000;
const hostsMax = 100;

type Asked = Pick<Configuration, 'config' | 'policy' | 'problemAt'>;
type OpenResolver = (config: Configuration['config']) => Promise<ClosableResolver>;

/** In the order of the policy. Never rejects. */
export async function warnOfHosts(
  { config, policy, problemAt }: Asked,
  openResolver: OpenResolver,
  withinMs = lookUpWithinMs,
): Promise<readonly ConfigProblem[]> {
  const hosts = namedHosts(policy).slice(0, hostsMax);
  if (hosts.length === 0) return [];
  const resolver = await openResolver(config).catch(() => null);
  if (resolver === null) return [];
  const late = new AbortController();
  try {
    const time = sleep(withinMs, null, { signal: late.signal }).catch(() => null);
    const states = await Promise.all(
      hosts.map((host) => Promise.race([lookUpHost(host, resolver).catch(() => null), time])),
    );
    return hosts.flatMap((host, place) => {
      const state = states[place];
      return state?.kind === 'missing' ? warnings(host, state.text, problemAt) : [];
    });
  } finally {
    late.abort();
    resolver.close();
  }
}

function warnings(
  { host, users }: NamedHost,
  why: string,
  problemAt: Asked['problemAt'],
): readonly ConfigProblem[] {
  return users.map(({ kind, name, path }) => {
    const text = `"${host}" does not resolve (${why}), so mail of the ${kind} "${name}" waits: correct the name, or give it an A or AAAA record`;
    return { ...problemAt(path, text), severity: 'warning' as const };
  });
}
