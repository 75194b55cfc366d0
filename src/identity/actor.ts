/**
 * Who asks: the person (or the socket) behind one request, and what it may do.
 *
 * Made by authentication, carried with the request, written into the audit log.
 */
import type { Grant, Permission } from './permissions.ts';

/** `socket`: whoever could open the Unix socket, which is being the gateway's administrator. */
export interface Actor {
  readonly kind: 'socket' | 'session' | 'token';
  /** Null for the socket. `name` is what the person signs in with. */
  readonly person: { readonly id: string; readonly name: string } | null;
  readonly grants: readonly Grant[];
  /** What a token may do at most, of what its person may; null: no less. */
  readonly narrowing: Narrowing | null;
  /** The id of the session or token, for the audit log; never its secret. */
  readonly credential: string | null;
  /** Where the request came from; null for the socket. */
  readonly address: string | null;
}

/** `organization` null: whichever the person's grants are for. */
export interface Narrowing {
  readonly permissions: readonly Permission[];
  readonly organization: string | null;
}

export const socketActor: Actor = {
  kind: 'socket',
  person: null,
  grants: [{ role: 'gateway-administrator', organization: null }],
  narrowing: null,
  credential: null,
  address: null,
};

/** What an actor is counted under: a person with all its sessions, or a token. */
export function actorKey({ kind, person, credential }: Actor): string {
  return kind === 'token' ? `token ${credential ?? ''}` : `${kind} ${person?.id ?? ''}`.trimEnd();
}

/** The actor in words, for logs and traces: who it was and by what. */
export function describeActor({ kind, person }: Actor): string {
  if (person === null) return 'administrator (socket)';
  return kind === 'token' ? `${person.name} (token)` : person.name;
}
