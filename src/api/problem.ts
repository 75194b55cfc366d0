/** Errors as problem documents. @see RFC 9457 §3 */
import { STATUS_CODES } from 'node:http';
import { HTTPException } from 'hono/http-exception';
import type { z } from 'zod';
import type { ConfigProblem } from '../config/problem.ts';
import { describeObject } from '../config/policy-object.ts';
import { formatProblem } from '../config/problem.ts';
import type { FailureMeaning, FailureTable } from '../mail/failure.ts';
import { Failure } from '../mail/failure.ts';
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { Problem } from './contract.ts';
import type { PolicyAnswer } from './policy-services.ts';
import { apiFailures } from './failures.ts';

const internal: FailureMeaning = apiFailures['api-internal'];

/**
 * The problem of any thrown value. It carries the text for operators, not the one for the wire: who
 * opened the socket is the gateway's administrator. `failures` are the tables of all rooms; a code that none has, and
 * what is no Failure at all, is `api-internal` and tells nothing of itself.
 */
export function describeError(error: unknown, failures: FailureTable): Problem {
  if (error instanceof HTTPException && error.status < 500) {
    return describeProblem('api-request-invalid', 'the body is not JSON', failures);
  }
  if (!(error instanceof Failure) || failures[error.code] === undefined) {
    const detail = 'the gateway met a defect of its own';
    return describeProblem('api-internal', detail, failures);
  }
  return describeProblem(error.code, sanitizePeerText(error.message), failures);
}

/** A field of a request that is wrong; `path` is empty for the whole. */
export interface InvalidPart {
  readonly path: string;
  readonly text: string;
}

/** The problem of a request that its schema refused. */
export function describeInvalid(error: z.ZodError, failures: FailureTable): Problem {
  return describeInvalidParts(error.issues.flatMap(toParts), failures);
}

/** At most 20 of them are told. */
export function describeInvalidParts(
  parts: readonly InvalidPart[],
  failures: FailureTable,
): Problem {
  const invalid = parts.slice(0, 20);
  const first = invalid[0];
  const where = first === undefined || first.path === '' ? 'the request' : first.path;
  const detail = `${where}: ${first?.text ?? 'is not what the contract says'}`;
  return { ...describeProblem('api-request-invalid', detail, failures), invalid };
}

/** Each unknown key by its own path. */
function toParts(issue: z.core.$ZodIssue): InvalidPart[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: sanitizePeerText([...path, key].join('.')),
      text: 'is not known here',
    }));
  }
  return [{ path: sanitizePeerText(path.join('.')), text: sanitizePeerText(issue.message) }];
}

/** A configuration that was not put in force. `detail` names the first problem only. */
export function describeRefusedConfig(
  problems: readonly ConfigProblem[],
  failures: FailureTable,
  code: 'config-refused' | 'policy-refused' = 'config-refused',
): Problem {
  const errors = problems.filter(({ severity }) => severity === 'error');
  const first = errors[0] === undefined ? '' : `: ${formatProblem(errors[0])}`;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  const what = code === 'config-refused' ? 'configuration' : 'change';
  const detail = sanitizePeerText(`the ${what} is refused${first}${more}`);
  // A file is read from its top; what objects of the store warn of besides has no place in it.
  const warnings = problems.filter(({ severity }) => severity === 'warning');
  const shown = code === 'config-refused' ? problems : [...errors, ...warnings];
  return { ...describeProblem(code, detail, failures), problems: [...shown] };
}

/** A change that asks for less, of which nobody said why. */
export function describeWeaker(weaker: readonly string[], failures: FailureTable): Problem {
  const more = weaker.length > 1 ? ` (and ${weaker.length - 1} more)` : '';
  const detail = sanitizePeerText(`the policy would ask for less: ${weaker[0] ?? ''}${more}`);
  return { ...describeProblem('policy-asks-less', detail, failures), weaker: [...weaker] };
}

/** A change that would break objects that it is not about. */
export function describeDependents(
  { problems, dependents }: Pick<PolicyAnswer & { kind: 'refused' }, 'problems' | 'dependents'>,
  failures: FailureTable,
): Problem {
  const shown = dependents.slice(0, 5).map(describeObject).join(', ');
  const more = dependents.length > 5 ? ` and ${dependents.length - 5} more` : '';
  const detail = sanitizePeerText(`it is in use by ${shown}${more}`);
  const said = { problems: [...problems], dependents: [...dependents] };
  return { ...describeProblem('object-in-use', detail, failures), ...said };
}

function describeProblem(code: string, detail: string, failures: FailureTable): Problem {
  const meaning = failures[code] ?? internal;
  return {
    type: 'about:blank',
    title: STATUS_CODES[meaning.httpStatus] ?? 'Error',
    status: meaning.httpStatus,
    detail,
    code,
    whatToDo: meaning.whatToDo,
    exitCode: meaning.exitCode,
  };
}
