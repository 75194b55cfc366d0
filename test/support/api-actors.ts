/** Who asks the API in tests of it, and an application that knows them. */
import { createApplication } from '../../src/api/application.ts';
import { apiLimits } from '../../src/api/server.ts';
import type { ApiServices } from '../../src/api/services.ts';
import { allFailures } from '../../src/app/all-failures.ts';
import type { Actor } from '../../src/identity/actor.ts';
import { socketActor } from '../../src/identity/actor.ts';
import type { Grant } from '../../src/identity/permissions.ts';
import { permissions } from '../../src/identity/permissions.ts';
import { silentLog } from '../../src/report/log.ts';
import { fakeServices } from './api-services.ts';

/** A person with these roles, signed in or by a token that may all they may. */
export function makeActor(grants: readonly Grant[], kind: 'session' | 'token' = 'session'): Actor {
  const narrowing = kind === 'token' ? { permissions, organization: null } : null;
  const person = { id: 'p1', name: 'ada' };
  return { ...socketActor, kind, person, grants, narrowing, credential: 'c1', address: null };
}

/** Its door for the network, without rates. */
export function applicationOf(
  authenticate: () => Actor | null,
  services: Partial<ApiServices> = {},
) {
  const plenty = { perSecond: 1e6, burst: 1e6 };
  return createApplication(fakeServices(services), {
    door: {
      kind: 'tls',
      authenticate,
      rates: { perAddress: plenty, perActor: plenty },
    },
    limits: apiLimits,
    failures: allFailures,
    log: silentLog,
    stopping: new AbortController().signal,
  });
}
