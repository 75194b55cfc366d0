/** Which route a request is for, by the same list that the routes are served and described from. */
import type { RouteConfig } from '@hono/zod-openapi';
import { allRoutes } from './all-routes.ts';

interface KnownPath {
  readonly parts: readonly string[];
  readonly method: string;
  readonly route: RouteConfig;
}

const paths: readonly KnownPath[] = allRoutes.map((route) => ({
  parts: route.path.split('/'),
  method: route.method.toUpperCase(),
  route,
}));

/** Null where there is none. A path that is written out wins over one with a parameter. */
export function findRoute(method: string, path: string): RouteConfig | null {
  const wanted = method === 'HEAD' ? 'GET' : method;
  const found = matches(path).filter((known) => known.method === wanted);
  return found.sort((a, b) => parametersOf(a) - parametersOf(b))[0]?.route ?? null;
}

/** Whether anybody may ask, such as to sign in. */
export function isPublic(method: string, path: string): boolean {
  return findRoute(method, path)?.['x-permission'] === 'public';
}

/**
 * In the order of the alphabet; empty where there is no such path. @see RFC 9110 §15.5.6
 */
export function allowedMethods(path: string): readonly string[] {
  const found = matches(path).map(({ method }) => method);
  const withHead = found.includes('GET') ? [...found, 'HEAD'] : found;
  return [...new Set(withHead)].sort();
}

function matches(path: string): readonly KnownPath[] {
  const asked = path.split('/');
  return paths.filter(({ parts }) => isThis(parts, asked));
}

/** `{id}` is one part of a path, which is not empty. */
function isThis(parts: readonly string[], asked: readonly string[]): boolean {
  return (
    parts.length === asked.length &&
    parts.every(
      (part, place) => part === asked[place] || (isParameter(part) && asked[place] !== ''),
    )
  );
}

function isParameter(part: string): boolean {
  return part.startsWith('{');
}

function parametersOf({ parts }: KnownPath): number {
  return parts.filter(isParameter).length;
}
