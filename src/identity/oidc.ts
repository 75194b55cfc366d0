/**
 * Signing in at a provider of OpenID Connect: authorization code with PKCE, state and nonce.
 *
 * Taken from the provider is who somebody is (issuer and subject) and nothing else. The library is
 * loaded when the first person comes, since most gateways have no provider.
 * @see OpenID Connect Core 1.0 §3.1; RFC 7636 §4 (PKCE)
 */
import type * as OpenIdClient from 'openid-client';
import type { Configuration } from 'openid-client';
import { Failure } from '../mail/failure.ts';

/** `issuer` exactly as the provider says it of itself; https, or http on this machine alone. */
export interface OidcProvider {
  readonly issuer: string;
  readonly clientId: string;
  /** Null: a public client, which PKCE alone protects. */
  readonly clientSecret: string | null;
}

/** What of one attempt must be kept until the browser comes back. */
export interface OidcAttempt {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export interface OidcIdentity {
  readonly issuer: string;
  readonly subject: string;
}

type Library = typeof OpenIdClient;

const timeoutSeconds = 10;
/** What the provider says of itself is asked for anew after this time: keys and addresses change. */
const knownMs = 3_600_000;

export class OidcClient {
  readonly #provider: OidcProvider;
  readonly #nowMs: () => number;
  #known: { readonly configuration: Promise<Configuration>; readonly untilMs: number } | null =
    null;

  constructor(provider: OidcProvider, nowMs: () => number) {
    this.#provider = provider;
    this.#nowMs = nowMs;
  }

  /** Where the browser is to go. Throws `oidc-unreachable`. */
  async begin(
    redirectUri: string,
  ): Promise<{ readonly url: string; readonly attempt: OidcAttempt }> {
    const library = await import('openid-client');
    const configuration = await this.#configuration(library);
    const attempt = {
      state: library.randomState(),
      nonce: library.randomNonce(),
      verifier: library.randomPKCECodeVerifier(),
    };
    const url = library.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: 'openid',
      response_type: 'code',
      code_challenge: await library.calculatePKCECodeChallenge(attempt.verifier),
      code_challenge_method: 'S256',
      state: attempt.state,
      nonce: attempt.nonce,
    });
    return { url: url.href, attempt };
  }

  /** `url` is the redirect URI with the query as it came. Throws `oidc-refused`, `oidc-unreachable`. */
  async finish(url: string, attempt: OidcAttempt): Promise<OidcIdentity> {
    const library = await import('openid-client');
    const configuration = await this.#configuration(library);
    const checks = {
      expectedState: attempt.state,
      expectedNonce: attempt.nonce,
      pkceCodeVerifier: attempt.verifier,
      idTokenExpected: true,
    };
    const tokens = await library
      .authorizationCodeGrant(configuration, new URL(url), checks)
      .catch((error: unknown) => {
        throw refused(error);
      });
    const claims = tokens.claims();
    if (claims === undefined || claims.iss !== this.#provider.issuer || claims.sub === '') {
      throw refused(new Error('the answer names nobody of this provider'));
    }
    return { issuer: claims.iss, subject: claims.sub };
  }

  #configuration(library: Library): Promise<Configuration> {
    const nowMs = this.#nowMs();
    if (this.#known !== null && nowMs < this.#known.untilMs) return this.#known.configuration;
    const configuration = discover(library, this.#provider);
    this.#known = { configuration, untilMs: nowMs + knownMs };
    configuration.catch(() => {
      if (this.#known?.configuration === configuration) this.#known = null;
    });
    return configuration;
  }
}

async function discover(library: Library, provider: OidcProvider): Promise<Configuration> {
  const { issuer, clientId, clientSecret } = provider;
  const authentication =
    clientSecret === null ? library.None() : library.ClientSecretBasic(clientSecret);
  const execute = isThisMachine(issuer) ? [library.allowInsecureRequests] : [];
  try {
    const options = { timeout: timeoutSeconds, execute };
    const server = new URL(issuer);
    const found = await library.discovery(server, clientId, undefined, authentication, options);
    const named = found.serverMetadata().issuer;
    if (named === issuer) return found;
    throw new Error(`it calls itself "${named}"`);
  } catch (cause) {
    const text = `the provider ${issuer} could not be asked about itself: ${textOf(cause)}`;
    throw new Failure('oidc-unreachable', text, { cause });
  }
}

/** Plain http never leaves this machine. */
export function isThisMachine(issuer: string): boolean {
  const { protocol, hostname } = new URL(issuer);
  return protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
}

function refused(cause: unknown): Failure {
  const text = `the provider's answer was not taken: ${textOf(cause)}`;
  return new Failure('oidc-refused', text, { cause });
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? `${error.message} (${cause.message})` : error.message;
}
