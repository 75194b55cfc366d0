/** A problem as the answer to a request. @see RFC 9457 §3 */
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Problem } from '../contract.ts';

export const problemType = 'application/problem+json';

export function answerProblem(c: Context, problem: Problem): Response {
  const status = problem.status as ContentfulStatusCode;
  return c.body(JSON.stringify(problem), status, { 'content-type': problemType });
}
