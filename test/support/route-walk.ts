/**
 * Walks every route of an OpenAPI document with requests that must be refused: malformed, oversized,
 * of a wrong type, with unknown fields, with missing ones, with bad parameters. Each must be answered
 * with a 4xx problem that names what is wrong, and change nothing.
 *
 * Everything is made from the document, so that a route which is added later is walked as well.
 */
import { refusableRequests } from './route-walk-cases.ts';
import type { Operation, WalkedRequest } from './route-walk-cases.ts';

export interface WalkAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
}

export interface Walk {
  /** OpenAPI 3.1, as JSON. */
  readonly document: unknown;
  send(request: WalkedRequest): Promise<WalkAnswer>;
  /** Equal where nothing has changed. */
  digest(): Promise<string>;
}

export interface WalkResult {
  readonly operations: number;
  readonly requests: number;
  /** A sentence for each breach; empty where all is well. */
  readonly findings: readonly string[];
}

export async function walkRoutes(walk: Walk): Promise<WalkResult> {
  const findings: string[] = [];
  let requests = 0;
  const operations = operationsOf(walk.document);
  for (const operation of operations) {
    const name = `${operation.method} ${operation.path}`;
    const before = await walk.digest();
    for (const request of refusableRequests(operation)) {
      requests++;
      const breach = judgeAnswer(expectedOf(operation, request), await walk.send(request));
      if (breach !== null) findings.push(`${name}: ${request.what}: ${breach}`);
    }
    if ((await walk.digest()) !== before) findings.push(`${name}: something has changed`);
  }
  return { operations: operations.length, requests, findings };
}

/** Whoever walks over the socket is no person: all that is a person's own is refused before it is read. */
function expectedOf(operation: Operation, request: WalkedRequest): WalkedRequest {
  if (operation['x-permission'] !== 'account.own') return request;
  return { ...request, status: null, names: null };
}

/** Null where the answer is as it should be. */
function judgeAnswer(request: WalkedRequest, { status, headers, text }: WalkAnswer): string | null {
  const shown = `${status} ${text.slice(0, 300)}`;
  if (status < 400 || status > 499) return `answered ${shown}`;
  if (request.status !== null && status !== request.status) {
    return `not ${request.status} but ${shown}`;
  }
  if (headers['content-type'] !== 'application/problem+json') return `no problem: ${shown}`;
  const { code, whatToDo, invalid } = JSON.parse(text) as {
    readonly code?: string;
    readonly whatToDo?: string;
    readonly invalid?: readonly { readonly path: string }[];
  };
  if (!code || !whatToDo) return `a problem without code or what to do: ${shown}`;
  const { names } = request;
  if (names === null || invalid?.some(({ path }) => isNamed(path, names)) === true) return null;
  return `does not name ${names}: ${shown}`;
}

function isNamed(path: string, name: string): boolean {
  return path === name || path.startsWith(`${name}.`);
}

const methods = ['get', 'put', 'post', 'patch', 'delete'] as const;

/** Every operation with its references resolved. */
function operationsOf(document: unknown): readonly Operation[] {
  const root = document as { readonly paths: Readonly<Record<string, Record<string, unknown>>> };
  return Object.entries(root.paths).flatMap(([path, item]) =>
    methods
      .filter((method) => method in item)
      .map((method) => {
        const operation = resolve(item[method], root) as Omit<Operation, 'method' | 'path'>;
        return { ...operation, method: method.toUpperCase(), path };
      }),
  );
}

/** Without `$ref`, as deep as ten of them lie in one another. */
function resolve(value: unknown, root: object, depth = 0): unknown {
  if (Array.isArray(value)) return value.map((each) => resolve(each, root, depth));
  if (typeof value !== 'object' || value === null) return value;
  const reference = (value as { readonly $ref?: string }).$ref;
  if (reference !== undefined) {
    if (depth > 10) return {};
    const parts = reference.slice(2).split('/');
    const found = parts.reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], root);
    return resolve(found, root, depth + 1);
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, resolve(inner, root, depth)]),
  );
}
