/** What the areas of the client call the API with. */
import type { z } from 'zod';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query. */
  readonly path: string;
  /** Sent as JSON; undefined sends none. */
  readonly body?: unknown;
  /** Of the answer; JSON where absent. */
  readonly accept?: string;
  /** In place of the caller's own, where the answer takes longer. */
  readonly timeoutMs?: number;
  /** Ends the call when nobody waits for it any more. */
  readonly signal?: AbortSignal | undefined;
}

/** Both throw a Failure, with the gateway's own code where it answered. */
export interface Caller {
  /** The answer, held against the contract. */
  readonly ask: <View>(call: Call, schema: z.ZodType<View>) => Promise<View>;
  /** Hands the answer over piece by piece. */
  readonly stream: (call: Call, write: (part: Buffer) => Promise<void>) => Promise<void>;
}

/** What is absent is left out. */
export function formatQuery(query: Readonly<Record<string, string | number | undefined>>): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parts.set(name, String(value));
  }
  const text = parts.toString();
  return text === '' ? '' : `?${text}`;
}
