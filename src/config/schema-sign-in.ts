/** The section `signIn`: how people sign in to the HTTP API. */
import type { Read } from './field.ts';
import { fieldOr, fieldOrNull, section } from './field.ts';
import { filePath } from './mail-readers.ts';
import { duration, parsed, show, text } from './readers.ts';

export const signInSection = section({
  sessionIdle: fieldOr(
    duration('1m', '24h'),
    '30m',
    'After how long without a request a session ends.',
  ),
  sessionMax: fieldOr(
    duration('5m', '30d'),
    '12h',
    'After how long a session ends however it is used.',
  ),
  oidc: section({
    issuer: fieldOrNull(
      parsed('an https URL, as the provider calls itself', readIssuer),
      'nobody signs in by way of a provider',
      'The provider of OpenID Connect (Entra ID, Keycloak …), exactly as it calls itself. People are known by the `sub` that was written down for them, nothing else.',
    ),
    clientId: fieldOrNull(
      text(256, 'the id of a client'),
      'needed where there is an issuer',
      'Our id at the provider. There, allow the redirect URI `https://NAME/v1/sign-in/oidc/callback`, NAME being the first of `api.hostNames`.',
    ),
    clientSecretFile: fieldOrNull(
      filePath(),
      'a public client, which PKCE alone protects',
      'File with our secret at the provider, readable to `user` only.',
    ),
    label: fieldOr(text(64, 'a few words'), 'Single sign-on', 'What the button says.'),
  })
    .prefault({})
    .meta({ description: 'Signing in at a provider of OpenID Connect.' }),
});

/** Plain http does for a provider on this machine alone, where nobody listens in between. */
function readIssuer(raw: string): Read<string> {
  const url = URL.parse(raw);
  const isHere =
    url?.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  const isPlain = url !== null && url.search === '' && url.hash === '' && url.username === '';
  if (isPlain && (url.protocol === 'https:' || isHere)) return { value: raw };
  const wrong = `must be an https URL without a query, exactly as the provider calls itself, not ${show(raw)}`;
  return { wrong };
}
