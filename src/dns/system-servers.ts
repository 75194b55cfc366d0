/**
 * The name servers of the machine, from resolv.conf. Search domains and options are not used: a mail
 * domain is a full name.
 *
 * @see resolv.conf(5)
 */
import { open } from 'node:fs/promises';
import net from 'node:net';

/** `address` is an IP address; it may carry a zone (`fe80::1%eth0`). */
export interface DnsServer {
  readonly address: string;
  readonly port: number;
}

/** Most servers that are used, as in the C library. */
export const systemServersMax = 3;

const fileBytesMax = 65536;

/**
 * At least one server, in the order of the file. Without a readable file or a `nameserver` line it is
 * the one on 127.0.0.1, as resolv.conf(5) says.
 */
export async function readSystemServers(path = '/etc/resolv.conf'): Promise<readonly DnsServer[]> {
  const servers = parseResolvConf(await readStart(path));
  return servers.length > 0 ? servers : [{ address: '127.0.0.1', port: 53 }];
}

/** The servers of a resolv.conf text, at most three; lines that name no address are passed over. */
export function parseResolvConf(text: string): readonly DnsServer[] {
  const servers: DnsServer[] = [];
  for (const line of text.split('\n')) {
    const address = /^nameserver[ \t]+(\S+)/.exec(line)?.[1];
    if (address !== undefined && net.isIP(address) !== 0) servers.push({ address, port: 53 });
    if (servers.length === systemServersMax) break;
  }
  return servers;
}

/** Empty where the file cannot be read: that is the same as a file without servers. */
async function readStart(path: string): Promise<string> {
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(fileBytesMax), 0, fileBytesMax, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return '';
    throw error;
  }
}
