/** A problem as the answer to a request. @see RFC 9457 §3 */
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Problem } from '../contract.ts';

export const problemType = 'application/problem+json';

export function answerProblem(
  c: Context,
  problem: Problem,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const status = problem.status as ContentfulStatusCode;
  return c.body(JSON.stringify(problem), status, { ...headers, 'content-type': problemType });
}
