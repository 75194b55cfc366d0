/** System calls of a gateway under `strace`, in the order in which they were over. */
import { readFile } from 'node:fs/promises';
import { runProgram } from './gateway.ts';

/** Null where this machine can trace; else why not. */
export async function whyNoStrace(): Promise<string | null> {
  const result = await runProgram(['/usr/bin/strace', '-f', '-e', 'trace=none', 'true']);
  if (result.code === 0) return null;
  return result.stderr.includes('ptrace') || result.stderr.includes('PTRACE')
    ? 'strace may not trace processes here: run with the capability SYS_PTRACE'
    : 'strace is missing: apt-get install strace';
}

/**
 * The words in front of the program. The program stays the direct child (-D), paths of descriptors
 * are shown (-y), texts up to 8000 characters.
 */
export function straceWords(outputFile: string): readonly string[] {
  return [
    '/usr/bin/strace',
    '-D',
    '-f',
    '-y',
    '-s',
    '8000',
    '-e',
    'trace=fdatasync,fsync,write,writev,pwrite64,pwritev,sendto,sendmsg,renameat,rename,renameat2',
    '-e',
    'signal=none',
    '-o',
    outputFile,
  ];
}

/** `descriptor` is what strace -y shows: a path, or `TCP:[…]`, `socket:[…]`. */
export interface SystemCall {
  readonly name: string;
  readonly descriptor: string;
  readonly text: string;
}

/**
 * In the order in which they *began* for writes to sockets, and in which they were *over* for all
 * else: a sync counts when it has returned, a reply when its first byte may leave.
 */
export async function readSystemCalls(outputFile: string): Promise<readonly SystemCall[]> {
  const calls: SystemCall[] = [];
  const unfinished = new Map<string, string>();
  for (const line of (await readFile(outputFile, 'latin1')).split('\n')) {
    const [, pid = '', text = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (text.endsWith('<unfinished ...>')) {
      const begun = text.slice(0, -'<unfinished ...>'.length);
      if (isToSocket(begun)) add(calls, begun);
      else unfinished.set(pid, begun);
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text)?.[1];
    if (resumed === undefined) add(calls, text);
    else {
      const begun = unfinished.get(pid);
      unfinished.delete(pid);
      if (begun !== undefined) add(calls, begun + resumed);
    }
  }
  return calls;
}

function isToSocket(text: string): boolean {
  return /^\w+\(\d+<(?:TCP|TCPv6|socket|UNIX)/.test(text);
}

function add(calls: SystemCall[], text: string): void {
  const [, name, descriptor] = /^(\w+)\(\d+<(.*?)>[,) ]/s.exec(text) ?? [];
  if (name !== undefined && descriptor !== undefined) calls.push({ name, descriptor, text });
}
