/**
 * How long a session lasts, and the cookie that carries it.
 *
 * The cookie belongs to this host alone, over TLS alone, is out of reach of scripts, and is not sent
 * when another site leads here.
 * @see RFC 6265 §4.1, §5.4
 */
import { isSecretOf } from './bearer-secret.ts';

/** `idleMs` after the last request, `maxMs` after the sign-in. */
export interface SessionRules {
  readonly idleMs: number;
  readonly maxMs: number;
}

export const defaultSessionRules: SessionRules = { idleMs: 30 * 60_000, maxMs: 12 * 3_600_000 };

export interface SessionTimes {
  readonly signedInAtMs: number;
  readonly lastSeenAtMs: number;
}

/** A session from the future counts as ended: a clock was set back, and nobody knows for how long. */
export function isSessionOver(times: SessionTimes, nowMs: number, rules: SessionRules): boolean {
  const age = nowMs - times.signedInAtMs;
  const idle = nowMs - times.lastSeenAtMs;
  const isSetBack = age < -rules.idleMs || idle < -rules.idleMs;
  return isSetBack || age >= rules.maxMs || idle >= rules.idleMs;
}

/** Not more often is it worth writing down that a session was used. */
export const lastSeenResolutionMs = 60_000;

export const sessionCookieName = '__Host-postern-session';
const attributes = 'Path=/; Secure; HttpOnly; SameSite=Strict';

/** The value of `Set-Cookie`. It ends with the browser; the server ends it earlier. */
export function formatSessionCookie(secret: string): string {
  return `${sessionCookieName}=${secret}; ${attributes}`;
}

/** Lets the browser forget it. */
export function formatEndedCookie(): string {
  return `${sessionCookieName}=; ${attributes}; Max-Age=0`;
}

/** The session of a `Cookie` header; null where there is none, or more than one. */
export function readSessionCookie(header: string | null): string | null {
  if (header === null || header.length > 8192) return null;
  const values = header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${sessionCookieName}=`))
    .map((pair) => pair.slice(sessionCookieName.length + 1));
  const [value] = values;
  return value !== undefined && values.length === 1 && isSecretOf('session', value) ? value : null;
}

/** The token of an `Authorization` header; null where it is none of ours. @see RFC 6750 §2.1 */
export function readBearerToken(header: string | null): string | null {
  const value = /^Bearer +([A-Za-z0-9_-]{1,100})$/i.exec(header ?? '')?.[1];
  return value !== undefined && isSecretOf('token', value) ? value : null;
}
