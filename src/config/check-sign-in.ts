/** Checks between the keys of `signIn` and the rest. */
import type { Report } from './parts.ts';
import { valueAt } from './parts.ts';
import type { Path } from './problem.ts';
import { configSchema } from './schema.ts';

const { api: apiSchema, signIn: signInSchema } = configSchema.def.out.shape;

/** `wrongPaths` are the places that the schema complained about. */
export function checkSignIn(raw: unknown, wrongPaths: readonly Path[], report: Report): void {
  if (wrongPaths.some(([key]) => key === 'api' || key === 'signIn')) return;
  const given = valueAt(raw, ['signIn']);
  const parsed = signInSchema.safeParse(given ?? {});
  if (!parsed.success || given === undefined || given === null) return;
  const { oidc, sessionIdle, sessionMax } = parsed.data;
  if (Object.hasOwn(given, 'sessionIdle') && sessionIdle > sessionMax) {
    const text = 'is longer than signIn.sessionMax, and so without effect';
    report({ path: ['signIn', 'sessionIdle'], at: 'value', text });
  }
  const api = apiSchema.safeParse(valueAt(raw, ['api']) ?? {});
  if (api.success && api.data.port === null) {
    const text = 'acts only with api.port: nobody signs in over the socket';
    const { oidc: inner, ...outer } = given as { readonly oidc?: object | null };
    for (const key of Object.keys(outer)) report({ path: ['signIn', key], at: 'key', text });
    for (const key of Object.keys(inner ?? {})) {
      report({ path: ['signIn', 'oidc', key], at: 'key', text });
    }
    return;
  }
  const oidcGiven = valueAt(raw, ['signIn', 'oidc']);
  if (oidc.issuer === null) {
    for (const key of Object.keys(oidcGiven ?? {})) {
      if (key === 'issuer') continue;
      const text = 'acts only with an issuer: without signIn.oidc.issuer no provider is asked';
      report({ path: ['signIn', 'oidc', key], at: 'key', text });
    }
  } else if (oidc.clientId === null) {
    const text = 'needs clientId: our id at this provider';
    report({ path: ['signIn', 'oidc'], at: 'key', text });
  }
}
