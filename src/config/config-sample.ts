/** Small configurations for the tests of this room. */
import { parseConfig } from './load.ts';
import type { ConfigProblem } from './problem.ts';
import { formatProblem } from './problem.ts';

/** A sound configuration around the keys of one organization. */
export function inOrganization(keys: string, top = ''): string {
  return `hostName: mx.fabrikam.com
listeners:
  - { name: mx, host: 127.0.0.1, port: 2525, kind: mx }
certificates:
  main: { certificate: a.pem, key: a.key }
serverCertificates: main
${top}
organizations:
  - id: fabrikam
${keys.replaceAll(/^/gm, '    ')}
`;
}

/** One accepted domain, whose postmaster is elsewhere. */
export const accepted = `acceptedDomains: [{ domain: fabrikam.com }]
aliases: [{ address: postmaster@fabrikam.com, to: postmaster@adatum.com }]`;

/** One outbound connector for contoso.com with these keys; `rest` follows it. */
export const outbound = (keys: string, rest = ''): string =>
  inOrganization(
    `${accepted}\noutboundConnectors:\n  - { name: one, recipientDomains: contoso.com, ${keys} }\n${rest}`,
  );

/** One inbound connector for contoso.com with these keys; `rest` follows it. */
export const inbound = (keys: string, rest = ''): string =>
  inOrganization(
    `${accepted}\ninboundConnectors:\n  - { name: one, senderDomains: contoso.com, ${keys} }\n${rest}`,
  );

/** Errors and warnings of a text. */
export function problemsOf(yaml: string): readonly ConfigProblem[] {
  const result = parseConfig(yaml, 'postern.yaml');
  return result.kind === 'loaded' ? result.warnings : result.problems;
}

/** The errors, formatted. */
export function errorsOf(yaml: string): string[] {
  return problemsOf(yaml)
    .filter((problem) => problem.severity === 'error')
    .map(formatProblem);
}
