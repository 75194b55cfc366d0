/** One request and its answer on a connection of its own, bounded in time and size. */
import type { RequestOptions } from 'node:http';
import { request } from 'node:http';
import type { Call } from './caller.ts';
import type { Answer, Write } from './read-answer.ts';
import { readAnswer } from './read-answer.ts';

/** How the connection is made, and the header fields that it needs. */
export interface Connection extends Pick<RequestOptions, 'socketPath' | 'createConnection'> {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Rejects with whatever Node says. With `write` a good answer is handed over as it comes. */
export function exchange(connection: Connection, call: Call, write: Write | null): Promise<Answer> {
  const payload = call.body === undefined ? null : Buffer.from(JSON.stringify(call.body));
  const { headers, ...how } = connection;
  const ends = [connection.signal, ...(call.signal === undefined ? [] : [call.signal])];
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        ...how,
        signal: AbortSignal.any(ends),
        method: call.method,
        path: call.path,
        // With an agent Node would not look at `createConnection`, and connect in clear by itself.
        ...(how.createConnection === undefined ? { agent: false } : {}),
        headers: {
          accept: call.accept ?? 'application/json, application/problem+json',
          ...headers,
          ...(payload === null
            ? {}
            : { 'content-type': 'application/json', 'content-length': payload.length }),
        },
      },
      (incoming) => void readAnswer(incoming, write).then(resolve, reject),
    );
    // A gateway that refuses a body early closes while we still write; its answer is what counts.
    outgoing.on('error', (error) => setImmediate(reject, error));
    outgoing.end(payload ?? undefined);
  });
}
