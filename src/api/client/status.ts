/** The client's calls about the gateway itself. */
import type { StatusView } from '../contract.ts';
import { statusSchema } from '../contract.ts';
import type { Caller } from './caller.ts';

export interface StatusClient {
  status(): Promise<StatusView>;
}

export function statusClient({ ask }: Caller): StatusClient {
  return { status: () => ask({ method: 'GET', path: '/v1/status' }, statusSchema) };
}
