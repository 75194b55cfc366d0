/** Where Postfix sends mail: transport maps, relayhost, and the transports of main.cf. @see transport(5) */
import { parseDomain } from '../../mail/domain.ts';
import { smartHost } from '../mail-readers.ts';
import { splitWords } from './postfix-lines.ts';

/** One host of a next hop. `isMx`: written without brackets, so its MX records are taken. */
export interface RouteHost {
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
  readonly isMx: boolean;
  /** As written, which is also the key of its TLS policy. */
  readonly key: string;
}

export type Route =
  /** As if there were no entry. */
  | { readonly kind: 'unchanged' }
  /** To the MX hosts of the recipient's domain. */
  | { readonly kind: 'mx'; readonly transport: string }
  /** Never empty. `transport` is empty, or a name of master.cf. */
  | { readonly kind: 'hosts'; readonly hosts: readonly RouteHost[]; readonly transport: string }
  /** Nothing that goes by SMTP. */
  | { readonly kind: 'other'; readonly transport: string; readonly rest: string }
  | { readonly kind: 'wrong'; readonly text: string };

const smtpTransports = new Set(['', 'smtp', 'relay']);
const otherTransports = new Set([
  'error',
  'retry',
  'discard',
  'local',
  'virtual',
  'lmtp',
  'pipe',
  'maildrop',
  'uucp',
  'procmail',
  'dovecot',
]);

/** Transports of Debian's master.cf that send by SMTP as main.cf says. */
export function isOrdinaryTransport(transport: string): boolean {
  return smtpTransports.has(transport);
}

/** A value of a transport table, of default_transport or relay_transport. */
export function parseRoute(text: string): Route {
  const colon = text.indexOf(':');
  if (colon === -1) return { kind: 'wrong', text: 'has no ":" between transport and next hop' };
  const [transport, rest] = [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
  if (otherTransports.has(transport)) return { kind: 'other', transport, rest };
  if (rest === '') return transport === '' ? { kind: 'unchanged' } : { kind: 'mx', transport };
  return parseHosts(rest, transport);
}

/** A next hop alone, as relayhost has it; several between commas or blanks. */
export function parseHosts(text: string, transport = ''): Route {
  const hosts = splitWords(text).map(parseHost);
  const wrong = splitWords(text).find((_, place) => hosts[place] === null);
  if (hosts.length === 0) return { kind: 'wrong', text: 'names no host' };
  if (wrong !== undefined) return { kind: 'wrong', text: `${wrong} is no host` };
  return { kind: 'hosts', hosts: hosts.map((host) => host!), transport };
}

const services: Readonly<Record<string, number>> = {
  smtp: 25,
  submission: 587,
  smtps: 465,
  submissions: 465,
};

function parseHost(key: string): RouteHost | null {
  const match = /^(?:\[(?:ipv6:)?([^\]]+)\]|([^:[\]]+))(?::([\w-]+))?$/i.exec(key);
  if (match === null) return null;
  const [, bracketed, bare, service = '25'] = match;
  const host = (bracketed ?? bare ?? '').toLowerCase();
  const port = services[service] ?? Number(service);
  const shown = host.includes(':') ? `[${host}]` : host;
  const isRight = 'value' in smartHost().read(shown) && Number.isInteger(port);
  if (!isRight || port < 1 || port > 65_535) return null;
  return { host, port, isMx: bracketed === undefined && parseDomain(host) !== null, key };
}

/** As `smartHosts` writes it. */
export function formatRouteHost({ host, port }: RouteHost): string {
  const shown = host.includes(':') ? `[${host}]` : host;
  return port === 25 ? shown : `${shown}:${port}`;
}
