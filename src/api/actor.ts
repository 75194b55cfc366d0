/**
 * Who asks, as far as the API looks at it: made by whoever authenticates, carried with the request in
 * the context variable `actor`, named in the log.
 */

/** `socket`: whoever could open the Unix socket, which is being the gateway's administrator. */
export interface Actor {
  readonly kind: 'socket' | 'session' | 'token';
  /** Null for the socket. `name` is what the person signs in with. */
  readonly person: { readonly id: string; readonly name: string } | null;
  /** The id of the session or token; never its secret. */
  readonly credential: string | null;
}

/** A request as it is authenticated: before its body is read. */
export interface AskingRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** The other end of the connection; nothing that the request says of it is believed. */
  readonly address: string;
  /** By its name in lower case; null where it is not there. */
  header(name: string): string | null;
}

/** Null: nobody whom we know. What it throws refuses the request, too. */
export type Authenticate = (request: AskingRequest) => Promise<Actor | null> | Actor | null;

/** Whoever opened the Unix socket. */
export const socketActor: Actor = { kind: 'socket', person: null, credential: null };

/** What requests of one actor are counted under, and what the log calls it. */
export function actorKey({ kind, person, credential }: Actor): string {
  return `${kind} ${person?.id ?? ''} ${credential ?? ''}`.trimEnd();
}
