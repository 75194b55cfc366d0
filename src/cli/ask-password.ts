/** Takes a password: from a terminal without showing it, or the first line of standard input. */
import type { Readable } from 'node:stream';
import { Failure } from '../mail/failure.ts';
import type { CliIo } from './command-context.ts';
import type { Output } from './output.ts';
import { readInput } from './read-input.ts';

/** Characters; a password that people choose is weak below. */
const lengthMin = 8;
/** Bytes; what sign-in takes. */
const bytesMax = 1024;
const typingTimeoutMs = 300_000;
const inputTimeoutMs = 30_000;

/** A terminal as a stream can be one. */
type Terminal = Readable & { setRawMode?(isRaw: boolean): unknown };

/** Asked twice, since nobody sees what is typed. Throws `password-refused`. */
export async function askPassword(
  stdin: CliIo['stdin'],
  err: Output,
  prompt: string,
): Promise<string> {
  const terminal: Terminal = stdin;
  if (stdin.isTTY !== true || terminal.setRawMode === undefined) {
    const text = 'standard input is no terminal: give the password with --password-stdin';
    throw new Failure('password-refused', text);
  }
  const first = checkPassword(await readHidden(terminal, err, `${prompt}: `));
  const second = await readHidden(terminal, err, 'Once more: ');
  if (first !== second) throw new Failure('password-refused', 'the two passwords differ');
  return first;
}

/** One line; what comes after it is refused rather than left out. Throws `password-refused`. */
export async function readPassword(stdin: Readable): Promise<string> {
  const text = await readInput(stdin, inputTimeoutMs);
  const line = text.replace(/\r?\n$/, '');
  if (/[\r\n]/.test(line)) {
    throw new Failure('password-refused', 'standard input has more than one line');
  }
  return checkPassword(line);
}

function checkPassword(password: string): string {
  const refuse = (text: string): never => {
    throw new Failure('password-refused', text);
  };
  if (/[\u0000-\u001f\u007f]/.test(password)) refuse('a password has no control characters');
  if (password.length < lengthMin) refuse(`a password has at least ${lengthMin} characters`);
  if (Buffer.byteLength(password) > bytesMax) refuse(`a password has at most ${bytesMax} bytes`);
  return password;
}

async function readHidden(terminal: Terminal, err: Output, prompt: string): Promise<string> {
  await err.print(prompt);
  terminal.setRawMode!(true);
  try {
    return await readKeys(terminal);
  } finally {
    terminal.setRawMode!(false);
    terminal.pause();
    await err.print('\n');
  }
}

/** Backspace and Ctrl-U work as everywhere; Ctrl-C and Ctrl-D give up. */
function readKeys(terminal: Terminal): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed: string[] = [];
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      terminal.off('data', onData).off('end', onEnd);
      settle();
    };
    const giveUp = (text: string): void => end(() => reject(new Failure('password-refused', text)));
    const onEnd = (): void => giveUp('no password was given');
    const onData = (chunk: Buffer | string): void => {
      for (const key of chunk.toString()) {
        if (key === '\r' || key === '\n') return end(() => resolve(typed.join('')));
        if (key === '\u0003' || key === '\u0004') return giveUp('given up: nothing was changed');
        if (key === '\u007f' || key === '\b') typed.pop();
        else if (key === '\u0015') typed = [];
        else typed.push(key);
      }
    };
    const timer = setTimeout(() => giveUp('no password was typed in time'), typingTimeoutMs);
    terminal.on('data', onData).on('end', onEnd);
    terminal.resume();
  });
}
