/**
 * What an attack is, and one hostile visit: everything bounded in number and time, loopback only.
 * Attackers come from 127.0.0.2 and up, so that bounds per address can be told from the others.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectRaw } from '../../../src/testing/raw-client.ts';
import type { RawClient, RawClientOptions } from '../../../src/testing/raw-client.ts';

/** Ports of a started gateway. `mx` speaks STARTTLS, `implicit` is an MX port under TLS. */
export interface AttackTarget {
  readonly mx: number;
  readonly implicit: number;
  readonly submissions: number;
  /** A mailbox that exists. */
  readonly recipient: string;
}

/**
 * How many ended how: by the code and enhanced code of the gateway's last word; `closed` without a
 * word, `open` where the gateway still held it when the visit had its time.
 */
export type Answers = Readonly<Record<string, number>>;

export interface Attack {
  readonly name: string;
  /** In words, for the report. */
  readonly what: string;
  /** `scale` 1 is the short version; the number of visits grows with it. */
  run(target: AttackTarget, scale: number): Promise<Answers>;
}

export interface Visit {
  readonly connect: RawClientOptions;
  /** What is done once connected; what it throws is the end of the visit. */
  readonly act: (client: RawClient) => Promise<void>;
  /** How long the gateway has to end the session afterwards. */
  readonly endsWithinMs: number;
}

/** Makes the visits, at most `atOnce` of them at a time. */
export async function visitAll(visits: readonly Visit[], atOnce: number): Promise<Answers> {
  const answers: Record<string, number> = {};
  const left = [...visits];
  const worker = async (): Promise<void> => {
    for (let visit = left.shift(); visit !== undefined; visit = left.shift()) {
      const answer = await visitOnce(visit);
      answers[answer] = (answers[answer] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, visits.length) }, worker));
  return answers;
}

async function visitOnce({ connect, act, endsWithinMs }: Visit): Promise<string> {
  let client: RawClient;
  try {
    client = await connectRaw({ timeoutMs: endsWithinMs, ...connect });
  } catch {
    return 'closed';
  }
  try {
    await act(client);
  } catch {
    // The gateway ended it in the middle of the act: its last word is what counts.
  }
  try {
    await client.ended(endsWithinMs);
    return lastWord(client.transcript);
  } catch {
    return 'open';
  } finally {
    client.close();
  }
}

/** `421 4.7.0` of the last whole line; `closed` where there is none but the greeting. */
function lastWord(transcript: string): string {
  const line = transcript.split('\r\n').at(-2) ?? '';
  const word = /^(\d{3})[ -](\d\.\d{1,3}\.\d{1,3})?/.exec(line);
  if (word === null || word[1] === '220') return 'closed';
  return word[2] === undefined ? word[1]! : `${word[1]} ${word[2]}`;
}

/** 127.0.0.2, 127.0.0.3 …; each group of attacks has a range of its own. */
export function addressAt(group: number, index: number): string {
  return `127.0.${group}.${2 + (index % 250)}`;
}

/** Sends a piece each `everyMs` until the connection ends or the time is over. */
export async function trickle(
  client: RawClient,
  pieces: () => string,
  pace: { readonly everyMs: number; readonly forMs: number },
): Promise<void> {
  const end = Date.now() + pace.forMs;
  while (Date.now() < end && client.error === null && !client.isEnded) {
    await client.send(pieces());
    await sleep(pace.everyMs);
  }
}

/** Greeting, EHLO, MAIL, RCPT, DATA, with each reply. */
export async function openContent(client: RawClient, recipient: string): Promise<void> {
  await client.expect(220);
  await client.command('EHLO attacker.test', 250);
  await client.command('MAIL FROM:<a@attacker.test>', 250);
  await client.command(`RCPT TO:<${recipient}>`, 250);
  await client.command('DATA', 354);
}
