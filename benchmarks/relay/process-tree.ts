/**
 * CPU time and memory of a process and everything below it, from `/proc`.
 *
 * A child that has ended counts with the parent that waited for it, so that short-lived processes
 * are not lost.
 */
import { readFileSync, readdirSync } from 'node:fs';

interface ProcessTimes {
  readonly parent: number;
  /** Its own and its ended children's. */
  readonly cpuSeconds: number;
}

const ticksPerSecond = 100;

/** The process ids of the root and its descendants; empty where it does not live. */
export function listTree(root: number): readonly number[] {
  return [...readTree(root).keys()];
}

export function cpuSecondsOf(root: number): number {
  let sum = 0;
  for (const { cpuSeconds } of readTree(root).values()) sum += cpuSeconds;
  return sum;
}

/** Proportional set size: shared pages count in part for each process that maps them. */
export function memoryMbOf(root: number): number {
  let kilobytes = 0;
  for (const pid of listTree(root)) {
    const text = readOrNull(`/proc/${pid}/smaps_rollup`);
    kilobytes += Number(/^Pss: +(\d+) kB/m.exec(text ?? '')?.[1] ?? 0);
  }
  return kilobytes / 1024;
}

function readTree(root: number): Map<number, ProcessTimes> {
  const all = new Map<number, ProcessTimes>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const times = Number.isInteger(pid) ? readTimes(pid) : null;
    if (times !== null) all.set(pid, times);
  }
  const tree = new Map<number, ProcessTimes>();
  const add = (pid: number): void => {
    const times = all.get(pid);
    if (times === undefined || tree.has(pid)) return;
    tree.set(pid, times);
    for (const [child, { parent }] of all) if (parent === pid) add(child);
  };
  add(root);
  return tree;
}

/** The command's name may hold spaces and brackets, so fields are counted from its end. */
function readTimes(pid: number): ProcessTimes | null {
  const text = readOrNull(`/proc/${pid}/stat`);
  if (text === null) return null;
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const ticks = fields.slice(11, 15).reduce((sum, value) => sum + value, 0);
  return { parent: fields[1] ?? 0, cpuSeconds: ticks / ticksPerSecond };
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return null;
    throw error;
  }
}
