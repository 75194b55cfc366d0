/**
 * Signing in by way of a provider of OpenID Connect: what was begun is kept until the browser comes
 * back, which must be the same browser, once, within ten minutes.
 */
import { timingSafeEqual } from 'node:crypto';
import type { OidcReturn, OidcStart, OpenedSession } from '../../api/people-services.ts';
import { digestSecret, generateSecret } from '../../identity/bearer-secret.ts';
import type { OidcAttempt, OidcIdentity, OidcProvider } from '../../identity/oidc.ts';
import { OidcClient } from '../../identity/oidc.ts';
import { Failure } from '../../mail/failure.ts';
import { nobodyAt } from './audit-book.ts';
import type { PeopleParts } from './people-parts.ts';
import type { SignInDesk } from './sign-in-desk.ts';

/** `label` is what the button says. */
export interface OidcSettings extends OidcProvider {
  readonly label: string;
}

export interface OidcDesk {
  readonly label: string;
  start(): Promise<OidcStart>;
  finish(back: OidcReturn): Promise<OpenedSession>;
}

interface Begun {
  readonly attempt: OidcAttempt;
  readonly bindingDigest: string;
  readonly redirectUri: string;
  readonly untilMs: number;
}

const attemptMs = 600_000;
/** Attempts that are under way at once; the oldest ends for a new one. */
const attemptsMax = 1000;

/** The path that the provider sends browsers back to. */
export const oidcCallbackPath = '/v1/sign-in/oidc/callback';

export function openOidcDesk(
  settings: OidcSettings,
  parts: PeopleParts,
  desk: SignInDesk,
): OidcDesk {
  const client = new OidcClient(settings, parts.nowMs);
  const begun = new Map<string, Begun>();
  return {
    label: settings.label,
    start: async () => {
      const redirectUri = redirectUriOf(parts);
      const { url, attempt } = await client.begin(redirectUri);
      const binding = generateSecret('link');
      const bindingDigest = digestSecret(binding);
      begun.set(attempt.state, {
        attempt,
        bindingDigest,
        redirectUri,
        untilMs: parts.nowMs() + attemptMs,
      });
      if (begun.size > attemptsMax) begun.delete(begun.keys().next().value!);
      return { url, binding };
    },
    finish: async (back) => {
      const found = takeAttempt(begun, back, parts.nowMs());
      const { address } = back.credentials;
      const identity =
        found === null
          ? null
          : await client
              .finish(`${found.redirectUri}?${back.query}`, found.attempt)
              .catch((error: unknown) => {
                parts.audit.noteAttempt(nobodyAt(address), { action: 'sign-in.oidc-refused' });
                throw error;
              });
      if (identity === null) throw notBegun(parts, address);
      return enter(parts, desk, { identity, back });
    },
  };
}

/** It is taken once, whatever comes of it. Null where it was not begun here, or not by this browser. */
function takeAttempt(
  begun: Map<string, Begun>,
  { query, binding }: OidcReturn,
  nowMs: number,
): Begun | null {
  const state = new URLSearchParams(query).get('state') ?? '';
  const found = begun.get(state);
  if (found === undefined || binding === null) return null;
  const [given, kept] = [Buffer.from(digestSecret(binding)), Buffer.from(found.bindingDigest)];
  if (!timingSafeEqual(given, kept)) return null;
  begun.delete(state);
  return found.untilMs > nowMs ? found : null;
}

function enter(
  parts: PeopleParts,
  desk: SignInDesk,
  { identity, back }: { readonly identity: OidcIdentity; readonly back: OidcReturn },
): OpenedSession {
  const person = parts.people.bySubject(identity);
  if (person?.isEnabled === true) {
    const what = { action: 'sign-in.succeeded', after: { by: 'openid connect' } };
    return desk.open(person, back.credentials, what);
  }
  parts.audit.noteAttempt(nobodyAt(back.credentials.address), {
    action: 'sign-in.oidc-unknown',
    after: { ...identity },
  });
  const text = 'the provider knows you, and this gateway does not: ask an administrator of it';
  throw new Failure('oidc-person-unknown', text, { wireText: text });
}

function notBegun(parts: PeopleParts, address: string | null): Failure {
  parts.audit.noteAttempt(nobodyAt(address), { action: 'sign-in.oidc-refused' });
  const text = 'this sign-in was not begun here, not in this browser, or too long ago';
  return new Failure('oidc-refused', text, { wireText: text });
}

function redirectUriOf({ publicUrl }: PeopleParts): string {
  const url = publicUrl();
  if (url !== null) return url + oidcCallbackPath;
  throw new Failure('oidc-not-configured', 'there is no HTTPS listener to come back to');
}

/** Throws `oidc-not-configured`. */
export function knownDesk(desk: OidcDesk | null): OidcDesk {
  if (desk !== null) return desk;
  throw new Failure('oidc-not-configured', 'no provider of OpenID Connect is configured');
}
