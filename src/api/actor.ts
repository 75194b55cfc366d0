/** How requests get an actor: made by whoever authenticates, carried in the context variable `actor`. */
import type { Actor } from '../identity/actor.ts';

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

/** What requests of one actor are counted under, and what the log calls it. */
export function actorKey({ kind, person, credential }: Actor): string {
  return `${kind} ${person?.id ?? ''} ${credential ?? ''}`.trimEnd();
}
