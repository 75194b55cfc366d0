/** Who asks, as the API shows it: permissions and where they reach. */
import type { SessionView } from '../../api/contract/session.ts';
import type { Actor } from '../../identity/actor.ts';
import { organizationsOf, permissionsOf } from '../../identity/permissions.ts';
import type { PeopleParts } from './people-parts.ts';
import { timeAt } from './people-parts.ts';

export function describeSession(parts: PeopleParts, actor: Actor): SessionView {
  const person = actor.person === null ? null : parts.people.byId(actor.person.id);
  return {
    kind: actor.kind,
    name: person?.name ?? null,
    displayName: person?.displayName ?? null,
    grants: actor.grants.map(({ role, organization }) => ({ role, organization })),
    permissions: permissionsOf(actor).map((permission) => {
      const reach = organizationsOf(actor, permission);
      return {
        permission,
        organizations: reach.kind === 'all' ? null : [...reach.organizations],
      };
    }),
    hasSecondFactor: person !== null && person.totpBox !== null,
    expiresAt: expiryOf(parts, actor),
  };
}

function expiryOf(parts: PeopleParts, { kind, person, credential }: Actor): string | null {
  if (person === null || credential === null) return null;
  if (kind === 'token') {
    const token = parts.tokens.byId(credential);
    return token === null ? null : timeAt(token.expiresAtMs);
  }
  const session = parts.sessions.listOf(person.id).find(({ id }) => id === credential);
  return session === undefined ? null : timeAt(session.signedInAtMs + parts.sessionRules.maxMs);
}
