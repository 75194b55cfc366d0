/** Checks between keys: listeners and the certificates that they and connectors name. */
import { findNearest } from './nearest.ts';
import type { AllParts, GatewayParts, Report } from './parts.ts';
import type { Path } from './problem.ts';
import type { ParsedInbound } from './schema-connectors.ts';

export function checkListeners(all: AllParts, report: Report): void {
  const parts = all.gateway;
  if (parts.listeners.length === 0 && parts.listenersAreWhole) {
    const text = 'holds no listener: name at least one address and port';
    report({ path: ['listeners'], at: 'key', text });
  }
  const names = new Map<string, Path>();
  const sockets = new Map<string, string>();
  for (const { value, path } of parts.listeners) {
    const twin = names.get(value.name.toLowerCase());
    if (twin !== undefined) {
      const text = `there is another listener "${value.name}"; each needs a name of its own`;
      report({ path: [...path, 'name'], at: 'value', text });
    }
    names.set(value.name.toLowerCase(), path);
    const socket = `${value.host} port ${value.port}`;
    const other = sockets.get(socket);
    if (other !== undefined && value.port !== 0) {
      const text = `the listener "${other}" has ${socket} already`;
      report({ path: [...path, 'port'], at: 'value', text });
    }
    sockets.set(socket, value.name);
    const everybody = value.proxyProtocol.findIndex((range) => range.endsWith('/0'));
    if (everybody !== -1) {
      const text = 'would let anybody pretend to be any client; list the load balancers alone';
      report({ path: [...path, 'proxyProtocol', everybody], at: 'value', text });
    }
    if (value.kind === 'submission' && value.requestClientCertificate === true) {
      const text =
        'accounts sign in by password, certificates are not supported there yet; remove it';
      report({ path: [...path, 'requestClientCertificate'], at: 'value', text });
    }
  }
  checkCertificates(parts, report);
  checkClientCertificates(all, report);
}

function checkCertificates(parts: GatewayParts, report: Report): void {
  // The schema's library drops this key without a word.
  if (parts.certificateNames?.has('__proto__') === true) {
    const text = 'cannot be the name of a certificate; take another';
    report({ path: ['certificates', '__proto__'], at: 'key', text });
  }
  parts.serverCertificates.forEach((name, place) => {
    checkCertificateName(parts, name, ['serverCertificates', place], report);
  });
  for (const { value, path } of parts.listeners) {
    const own = value.serverCertificates;
    own?.forEach((name, place) => {
      checkCertificateName(parts, name, [...path, 'serverCertificates', place], report);
    });
    const presented = own ?? parts.serverCertificates;
    if (presented.length > 0 || parts.certificateNames === null) continue;
    const text = `has no certificate to offer TLS with: name one of certificates in serverCertificates`;
    report({ path, at: 'key', text });
  }
}

/** For `serverCertificates` and `clientCertificate`. */
export function checkCertificateName(
  parts: GatewayParts,
  name: string,
  path: Path,
  report: Report,
): void {
  const known = parts.certificateNames;
  if (known === null || known.has(name)) return;
  const names = known.size === 0 ? 'there are none yet' : `there are: ${[...known].join(', ')}`;
  const text = `names the certificate "${name}", which certificates does not hold; ${names}`;
  report({ path, at: 'value', text, suggestion: findNearest(name, known) });
}

/** In any mode: what is only observed must be seen, too. */
function takesCertificate(value: ParsedInbound): boolean {
  const isNamed = value.tlsSenderCertificateName.length > 0 || value.pins.length > 0;
  return value.restrictDomainsToCertificate || (value.connectorType === 'OnPremises' && isNamed);
}

/** A connector that needs the client's certificate is of no use where nobody asks for it. */
function checkClientCertificates({ gateway, organizations }: AllParts, report: Report): void {
  const needing = organizations
    .flatMap(({ inbound }) => inbound)
    .find(({ value }) => value.enabled && takesCertificate(value));
  if (needing === undefined) return;
  for (const { value, path } of gateway.listeners) {
    if (value.kind !== 'mx' || value.requestClientCertificate !== false) continue;
    const text = `must be true: the inbound connector "${needing.value.name}" needs the client's certificate`;
    report({ path: [...path, 'requestClientCertificate'], at: 'value', text });
  }
}
