/** The section `api`: the HTTP API on the network. */
import type { Read, Reader } from './field.ts';
import { fieldOr, fieldOrNull, oneOrMoreOrNull, section } from './field.ts';
import { domainName, ipAddress } from './mail-readers.ts';
import { integer, parsed, show, text } from './readers.ts';

export const apiSection = section({
  host: fieldOr(
    ipAddress(),
    '127.0.0.1',
    'The IP address on which the HTTP API is answered, over TLS; `0.0.0.0` or `::` for all.',
  ),
  port: fieldOrNull(
    integer(0, 65_535),
    'no such listener: the API is on its Unix socket alone',
    'The TCP port; 443 or 8443 is usual. Whoever asks there must be signed in.',
  ),
  serverCertificates: oneOrMoreOrNull(
    text(64, 'the name of an entry of certificates'),
    'the general serverCertificates',
    'The certificates that the API presents. Clients check the name: one for the names under `hostNames`.',
  ),
  hostNames: oneOrMoreOrNull(
    hostValue(),
    'the name under hostName',
    'By which names clients may ask; requests with another Host are refused. A name stands for itself and for itself with the port above; behind a forwarded port, write name:port as clients do.',
  ),
});

/** What a client says in Host: a name or an address, with a port or without. */
export function hostValue(): Reader<string> {
  return parsed('a name or an address, with :port where it is not the one above', readHostValue);
}

function readHostValue(raw: string): Read<string> {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(raw);
  const [, bracketed, bare = '', port] = match ?? [];
  const host = bracketed === undefined ? readBare(bare) : readBracketed(bracketed);
  if (match === null || host === null || (port !== undefined && !isPort(Number(port)))) {
    return {
      wrong: `must be a name or an address as clients write it, such as gateway.example.com, gateway.example.com:8443 or [2001:db8::1], not ${show(raw)}`,
    };
  }
  return { value: port === undefined ? host : `${host}:${Number(port)}` };
}

function readBare(text: string): string | null {
  for (const reader of [ipAddress(), domainName()]) {
    const read = reader.read(text);
    if ('value' in read) return read.value;
  }
  return null;
}

function readBracketed(text: string): string | null {
  const read = ipAddress().read(text);
  return 'value' in read && read.value.includes(':') ? `[${read.value}]` : null;
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65_535;
}
