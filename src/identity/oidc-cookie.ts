/**
 * The cookie that ties a sign-in at a provider to the browser that began it.
 *
 * It must come along when the provider leads back here, so it is `Lax`; it is no session.
 * @see RFC 6265 §4.1
 */
import { isSecretOf } from './bearer-secret.ts';

const name = '__Host-postern-oidc';
const attributes = 'Path=/; Secure; HttpOnly; SameSite=Lax';

export function formatOidcCookie(binding: string): string {
  return `${name}=${binding}; ${attributes}; Max-Age=600`;
}

export function formatOidcEndedCookie(): string {
  return `${name}=; ${attributes}; Max-Age=0`;
}

/** Null where there is none, or more than one. */
export function readOidcCookie(header: string | null): string | null {
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  const [value] = values;
  return value !== undefined && values.length === 1 && isSecretOf('link', value) ? value : null;
}
