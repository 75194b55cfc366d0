/** Who holds what, as far as /proc tells us: for refusals that name the culprit. */
import { readFile, readdir, readlink, stat } from 'node:fs/promises';
import { basename } from 'node:path';

/** `name` is that of its program. */
export interface ProcessName {
  readonly id: number;
  readonly name: string;
}

/** `process 4711 (postfix)`. */
export function describeProcess({ id, name }: ProcessName): string {
  return `process ${id} (${name})`;
}

/** Null where nobody holds it, or where we are not told. */
export async function findLockHolder(path: string): Promise<ProcessName | null> {
  try {
    const { ino } = await stat(path);
    const locks = await readFile('/proc/locks', 'utf8');
    const holder = new RegExp(`^\\d+: \\S+ +\\S+ +WRITE (\\d+) [0-9a-f]+:[0-9a-f]+:${ino} `, 'm');
    const id = Number(holder.exec(locks)?.[1] ?? 0);
    return id > 0 ? await nameProcess(id) : null;
  } catch {
    // Not Linux, or not ours to know: the refusal says less.
    return null;
  }
}

/** The process that listens there; null where there is none, or where we are not told. */
export async function findPortHolder(host: string, port: number): Promise<ProcessName | null> {
  try {
    const inodes = await listeningInodes(host, port);
    if (inodes.size === 0) return null;
    for (const id of await processIds()) {
      if (await holdsSocket(id, inodes)) return await nameProcess(id);
    }
    return null;
  } catch {
    return null;
  }
}

/** Any address of that port for a wildcard host, and a wildcard one for any host. */
async function listeningInodes(host: string, port: number): Promise<ReadonlySet<string>> {
  const isWild = host === '0.0.0.0' || host === '::';
  const address = isWild ? '[0-9A-F]+' : `(?:0+|${hexOf(host)})`;
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const line = new RegExp(`^ *\\d+: ${address}:${hexPort} [0-9A-F]+:0000 0A .*`, 'gm');
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(table, 'utf8').catch(() => '');
    for (const [row] of text.matchAll(line)) inodes.add(row.trim().split(/\s+/)[9]!);
  }
  return inodes;
}

/** IPv4 as the kernel writes it; any address for IPv6. */
function hexOf(host: string): string {
  if (host.includes(':')) return '[0-9A-F]{32}';
  const bytes = host.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return bytes.toReversed().join('').toUpperCase();
}

async function processIds(): Promise<readonly number[]> {
  const names = await readdir('/proc');
  return names.map(Number).filter((id) => Number.isSafeInteger(id) && id > 0);
}

async function holdsSocket(id: number, inodes: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${id}/fd`;
  for (const name of await readdir(folder).catch(() => [])) {
    const target = await readlink(`${folder}/${name}`).catch(() => '');
    if (inodes.has(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? '')) return true;
  }
  return false;
}

async function nameProcess(id: number): Promise<ProcessName> {
  // Not `comm`: programs overwrite it, and Node's says "MainThread".
  const words = await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '');
  const program = basename(words.split('\0', 1)[0]!.split(' ', 1)[0]!);
  return { id, name: program === '' ? 'name unknown' : program };
}
