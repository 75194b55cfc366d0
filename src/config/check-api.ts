/** Checks between the keys of `api` and the rest. */
import { checkCertificateName } from './check-listeners.ts';
import type { GatewayParts, Report } from './parts.ts';
import { valueAt } from './parts.ts';
import type { Path } from './problem.ts';
import { configSchema } from './schema.ts';

const apiSchema = configSchema.def.out.shape.api;

/** `wrongPaths` are the places that the schema complained about. */
export function checkApi(
  raw: unknown,
  wrongPaths: readonly Path[],
  parts: GatewayParts,
  report: Report,
): void {
  if (wrongPaths.some((path) => path[0] === 'api')) return;
  const given = valueAt(raw, ['api']);
  const parsed = apiSchema.safeParse(given);
  if (!parsed.success || given === undefined || given === null) return;
  const { host, port, serverCertificates } = parsed.data;
  if (port === null) {
    for (const key of Object.keys(given)) {
      if (key === 'port') continue;
      const text = 'acts only with a port: without api.port there is no such listener';
      report({ path: ['api', key], at: 'key', text });
    }
    return;
  }
  serverCertificates?.forEach((name, place) => {
    checkCertificateName(parts, name, ['api', 'serverCertificates', place], report);
  });
  if ((serverCertificates ?? parts.serverCertificates).length === 0) {
    const text = 'has no certificate: name one of certificates in api.serverCertificates';
    report({ path: ['api'], at: 'key', text });
  }
  const other = parts.listeners.find(({ value }) => value.host === host && value.port === port);
  if (other !== undefined && port !== 0) {
    const text = `the listener "${other.value.name}" has ${host} port ${port} already`;
    report({ path: ['api', 'port'], at: 'value', text });
  }
}
