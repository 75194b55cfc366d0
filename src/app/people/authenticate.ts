/**
 * Who a request is from: by its token, or by the session of its cookie. Looked up each time, so that
 * what was taken away does not act once more.
 */
import type { Credentials } from '../../api/people-services.ts';
import type { Actor } from '../../identity/actor.ts';
import { digestSecret } from '../../identity/bearer-secret.ts';
import {
  isSessionOver,
  lastSeenResolutionMs,
  readBearerToken,
  readSessionCookie,
} from '../../identity/session-rules.ts';
import { Failure } from '../../mail/failure.ts';
import type { StoredPerson } from '../../store/control/people.ts';
import type { StoredSession } from '../../store/control/sessions.ts';
import type { StoredToken } from '../../store/control/tokens.ts';
import type { PeopleParts } from './people-parts.ts';
import { knownGrants, knownPermissions } from './people-parts.ts';

/**
 * Null: nobody. With an Authorization field the cookie is not looked at, whatever the field says.
 * `isUse` false: session and token are not noted as used.
 */
export function authenticate(
  parts: PeopleParts,
  { authorization, cookie, address }: Credentials,
  isUse = true,
): Actor | null {
  if (authorization !== null) return byToken(parts, authorization, { address, isUse });
  const secret = readSessionCookie(cookie);
  return secret === null ? null : bySession(parts, secret, { address, isUse });
}

interface Asking {
  readonly address: string | null;
  readonly isUse: boolean;
}

function byToken(parts: PeopleParts, header: string, { address, isUse }: Asking): Actor | null {
  const secret = readBearerToken(header);
  const token = secret === null ? null : parts.tokens.byDigest(digestSecret(secret));
  if (token === null || token.expiresAtMs <= parts.nowMs()) return null;
  const person = enabled(parts, token.person);
  if (person === null) return null;
  if (isUse) noteTokenUse(parts, token);
  return {
    kind: 'token',
    person: { id: person.id, name: person.name },
    grants: knownGrants(person.grants),
    narrowing: {
      permissions: knownPermissions(token.permissions),
      organization: token.organization,
    },
    credential: token.id,
    address,
  };
}

function noteTokenUse({ tokens, nowMs }: PeopleParts, { id, lastUsedAtMs }: StoredToken): void {
  const now = nowMs();
  if (now - (lastUsedAtMs ?? 0) < lastSeenResolutionMs) return;
  wherePossible(() => tokens.noteUse(id, now));
}

/**
 * Whoever has to look after a gateway whose disk is full must be let in: when they were last seen can
 * wait. A session whose use is not written down ends the earlier for it.
 */
function wherePossible(note: () => void): void {
  try {
    note();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
}

function bySession(parts: PeopleParts, secret: string, { address, isUse }: Asking): Actor | null {
  const session = openSession(parts, secret);
  const person = session === null ? null : enabled(parts, session.person);
  if (session === null || person === null) return null;
  if (isUse) noteSeen(parts, session);
  return sessionActor(person, session.id, address);
}

function noteSeen({ sessions, nowMs }: PeopleParts, { id, lastSeenAtMs }: StoredSession): void {
  const now = nowMs();
  if (now - lastSeenAtMs < lastSeenResolutionMs) return;
  wherePossible(() => sessions.noteSeen(id, now));
}

/** The session of a secret; null where there is none, or it is over, and then it is removed. */
export function openSession(parts: PeopleParts, secret: string): StoredSession | null {
  const session = parts.sessions.byDigest(digestSecret(secret));
  if (session === null) return null;
  if (!isSessionOver(session, parts.nowMs(), parts.sessionRules)) return session;
  wherePossible(() => parts.sessions.remove(session.id));
  return null;
}

export function sessionActor(
  person: StoredPerson,
  credential: string,
  address: string | null,
): Actor {
  return {
    kind: 'session',
    person: { id: person.id, name: person.name },
    grants: knownGrants(person.grants),
    narrowing: null,
    credential,
    address,
  };
}

function enabled({ people }: PeopleParts, id: string): StoredPerson | null {
  const person = people.byId(id);
  return person?.isEnabled === true ? person : null;
}
