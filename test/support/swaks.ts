/** swaks, a command-line SMTP client of Debian: another hand than ours on the client's side. */
import { access } from 'node:fs/promises';
import { runProgram } from './gateway.ts';

/** Null where this machine can run the tests; else what to install. */
export async function whyNoSwaks(): Promise<string | null> {
  try {
    await access('/usr/bin/swaks');
  } catch {
    return 'swaks is missing: apt-get install swaks libnet-ssleay-perl';
  }
  const perl = await runProgram(['perl', '-MNet::SSLeay', '-e', '1']);
  return perl.code === 0 ? null : 'swaks has no TLS: apt-get install libnet-ssleay-perl';
}

/** `transcript` is the whole dialogue; `code` 0 where the message was accepted. */
export interface SwaksResult {
  readonly code: number | null;
  readonly transcript: string;
}

/** Sends one message to loopback; `--to` and what else it needs are arguments. */
export async function runSwaks(port: number, ...words: readonly string[]): Promise<SwaksResult> {
  const result = await runProgram([
    '/usr/bin/swaks',
    '--server',
    '127.0.0.1',
    '--port',
    String(port),
    '--timeout',
    '30',
    ...words,
  ]);
  return { code: result.code, transcript: result.stdout + result.stderr };
}
