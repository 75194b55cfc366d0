/** What the benchmarks say of the machine: what it is, and how busy it was with other things. */
import { statfsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, release, totalmem } from 'node:os';

export interface Machine {
  readonly cpus: number;
  readonly model: string;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly node: string;
  /** Of the folder with the queues. */
  readonly filesystem: string;
}

/** CPU seconds since boot, of all cores together. */
export interface MachineTime {
  readonly busy: number;
  /** Taken by the host for other guests. */
  readonly steal: number;
  readonly atMs: number;
}

const filesystems: Readonly<Record<number, string>> = {
  0xef53: 'ext4',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x01021994: 'tmpfs',
  0x794c7630: 'overlayfs',
  0x2fc12fc1: 'zfs',
};

export function describeMachine(folder: string): Machine {
  const { type } = statfsSync(folder);
  return {
    cpus: availableParallelism(),
    model: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.versions.node,
    filesystem: filesystems[type] ?? `0x${type.toString(16)}`,
  };
}

export async function readMachineTime(): Promise<MachineTime> {
  const line = (await readFile('/proc/stat', 'utf8')).split('\n', 1)[0] ?? '';
  const ticks = line.trim().split(/\s+/).slice(1).map(Number);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, steal = 0] = ticks;
  return {
    busy: (user + nice + system + irq + softIrq) / 100,
    steal: steal / 100,
    atMs: performance.now(),
  };
}
