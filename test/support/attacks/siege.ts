/** One attack on a started gateway, a good client beside it, and what both saw. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectRaw } from '../../../src/testing/raw-client.ts';
import type { RunningGateway } from '../gateway.ts';
import type { Answers, Attack, AttackTarget } from './attack.ts';

export interface SiegeFigures {
  readonly answers: Answers;
  readonly seconds: number;
  /** Of the good client: messages accepted, and tries that were turned away before. */
  readonly accepted: number;
  readonly turnedAway: number;
  /** From the first try of a message to its 250. */
  readonly medianMs: number;
  readonly slowestMs: number;
  /** Resident memory of all processes of the gateway, the largest of many samples. */
  readonly peakMb: number;
}

/** How long the good client waits before it tries again, and for how long it tries. */
const retryMs = 300;
const patienceMs = 20_000;
const pauseMs = 100;

export async function besiege(
  gateway: RunningGateway,
  target: AttackTarget,
  attack: Attack,
  scale: number,
): Promise<SiegeFigures> {
  const startedAtMs = performance.now();
  const state = { isOver: false };
  const good = sendWhile(target, state);
  // It is awaited when the attack is over, and may have failed by then.
  good.catch(() => undefined);
  const memory = watchMemory(gateway, state);
  let answers: Answers;
  try {
    answers = await attack.run(target, scale);
  } finally {
    state.isOver = true;
  }
  const { waits, turnedAway } = await good;
  const sorted = waits.toSorted((a, b) => a - b);
  return {
    answers,
    seconds: (performance.now() - startedAtMs) / 1000,
    accepted: waits.length,
    turnedAway,
    medianMs: sorted[Math.floor(sorted.length / 2)]!,
    slowestMs: sorted.at(-1)!,
    peakMb: await memory,
  };
}

/** Sends one message after another until the attack is over; throws where one never gets through. */
async function sendWhile(
  target: AttackTarget,
  state: { readonly isOver: boolean },
): Promise<{ readonly waits: readonly number[]; readonly turnedAway: number }> {
  const waits: number[] = [];
  let turnedAway = 0;
  do {
    const sinceMs = performance.now();
    while (!(await sendOne(target))) {
      turnedAway += 1;
      if (performance.now() - sinceMs > patienceMs) {
        throw new Error(`a good client was kept out for ${patienceMs} ms`);
      }
      await sleep(retryMs);
    }
    waits.push(performance.now() - sinceMs);
    await sleep(pauseMs);
  } while (!state.isOver);
  return { waits, turnedAway };
}

/** On a session of its own, from the address of nobody else; false where it was not let in. */
async function sendOne({ mx, recipient }: AttackTarget): Promise<boolean> {
  const client = await connectRaw({ port: mx, timeoutMs: patienceMs });
  try {
    const greeting = await client.reply().catch(() => null);
    if (greeting?.code !== 220) return false;
    await client.command('EHLO good.sender.test', 250);
    await client.send(`MAIL FROM:<good@sender.test>\r\nRCPT TO:<${recipient}>\r\nDATA\r\n`);
    for (const code of [250, 250, 354]) await client.expect(code);
    await client.send(
      'From: <good@sender.test>\r\nSubject: good\r\n\r\nGood mail.\r\n.\r\nQUIT\r\n',
    );
    await client.expect(250);
    await client.expect(221);
    return true;
  } finally {
    client.close();
  }
}

async function watchMemory(
  gateway: RunningGateway,
  state: { readonly isOver: boolean },
): Promise<number> {
  let peakMb = 0;
  while (!state.isOver) {
    peakMb = Math.max(peakMb, await residentMb(gateway));
    await sleep(100);
  }
  return peakMb;
}

/** Of the control process and its lanes. */
export async function residentMb(gateway: RunningGateway): Promise<number> {
  const processes = [gateway.processId, ...(await gateway.lanes())];
  let kilobytes = 0;
  for (const id of processes) {
    const status = await readFile(`/proc/${id}/status`, 'utf8').catch(() => '');
    kilobytes += Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
  }
  return kilobytes / 1024;
}
