/** A command of the command line on a terminal, as somebody who reads and types. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { quoteShell } from '../../src/cli/quote-shell.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { fakeOffline } from './command-line.ts';
import { mainFile } from './gateway.ts';
import { waitFor } from './ports.ts';

export const ctrlC = '\u0003';
export const ctrlD = '\u0004';

export interface Terminal {
  /** All that was shown, without escape sequences. */
  text(): string;
  /** Waits until it is shown behind what was waited for before. */
  sees(what: RegExp): Promise<void>;
  /** Keys as they come; Enter is `\r`. */
  type(keys: string): void;
  /** The exit code, once it ended by itself. */
  readonly code: Promise<number | null>;
  /** For the end of a test. */
  kill(): void;
}

/** The program itself on a pseudo-terminal. Needs `script` of util-linux. */
export function startTerminal(words: readonly string[], folder: string): Terminal {
  const line = [process.execPath, mainFile, ...words].map(quoteShell).join(' ');
  const child = spawn('script', ['-qefc', `stty cols 100; exec ${line}`, '/dev/null'], {
    cwd: folder,
    env: { ...process.env, TERM: 'xterm', npm_command: undefined },
  });
  const screen = new Screen();
  child.stdout.on('data', (bytes: Buffer) => screen.show(bytes));
  child.stderr.on('data', (bytes: Buffer) => screen.show(bytes));
  child.stdin.on('error', () => undefined);
  return {
    text: () => screen.text(),
    sees: (what) => screen.sees(what),
    type: (keys) => void child.stdin.write(keys),
    code: once(child, 'exit').then(([code]) => code as number | null),
    kill: () => void child.kill('SIGKILL'),
  };
}

/** The same in this process, which is quicker; the terminal is pretended. */
export function pretendTerminal(words: readonly string[]): Terminal {
  const screen = new Screen();
  const stdin = Object.assign(new Readable({ read: () => undefined }), { isTTY: true });
  const output = (): Writable =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        screen.show(chunk);
        done();
      },
    });
  const code = runCli(words, fakeOffline(), {
    stdout: output(),
    stderr: output(),
    stdin,
    isTty: true,
    columns: 100,
    env: {},
    workingFolder: '/nonexistent',
  });
  return {
    text: () => screen.text(),
    sees: (what) => screen.sees(what),
    type: (keys) => void stdin.push(keys),
    code,
    kill: () => void stdin.push(null),
  };
}

class Screen {
  #shown = '';
  #read = 0;

  show(bytes: Buffer): void {
    this.#shown += bytes.toString();
  }

  /** What readline writes to draw a line anew is left out. */
  text(): string {
    return this.#shown.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, '').replaceAll('\r', '');
  }

  async sees(what: RegExp): Promise<void> {
    try {
      await waitFor(String(what), () => this.#find(what), 30_000);
    } catch (cause) {
      throw new Error(`${String(what)} is not shown in:\n${this.text()}`, { cause });
    }
  }

  #find(what: RegExp): true | null {
    const found = what.exec(this.text().slice(this.#read));
    if (found === null) return null;
    this.#read += found.index + found[0].length;
    return true;
  }
}
