/** Reads the files of an import whole, within bounds, and writes what comes of it where it is wanted. */
import { open, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { SourceFile } from '../config/move-in/decode-text.ts';
import { Failure } from '../mail/failure.ts';
import type { CommandContext } from './command-context.ts';

const fileBytesMax = 16 * 1024 * 1024;

/** Named as on the command line. Throws `file-unreadable`. */
export function readImportFiles(
  context: CommandContext,
  names: readonly string[],
): Promise<SourceFile[]> {
  return Promise.all(names.map((name) => readImportFile(context, name)));
}

async function readImportFile(context: CommandContext, name: string): Promise<SourceFile> {
  const path = resolve(context.surroundings.workingFolder, name);
  try {
    return { name, content: await readBounded(path) };
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { message } = error as Error;
    throw new Failure('file-unreadable', `${name} cannot be read: ${message}`, { cause: error });
  }
}

async function readBounded(path: string): Promise<Uint8Array> {
  await using handle = await open(path, 'r');
  const stats = await handle.stat();
  if (!stats.isFile()) throw new Failure('file-unreadable', `${path} is no file`);
  if (stats.size > fileBytesMax) {
    throw new Failure('file-unreadable', `${path} is larger than ${fileBytesMax} bytes`);
  }
  return handle.readFile();
}

/** Those of the paths that lie beside a file; what is not there stays away. */
export async function readBeside(
  context: CommandContext,
  file: string,
  paths: readonly string[],
): Promise<SourceFile[]> {
  const folder = dirname(resolve(context.surroundings.workingFolder, file));
  const found = await Promise.all(
    paths.map(async (path): Promise<SourceFile | null> => {
      const name = join(folder, basename(path));
      try {
        return { name, content: await readBounded(name) };
      } catch {
        // The report says that the table was not given.
        return null;
      }
    }),
  );
  return found.flatMap((each) => each ?? []);
}

/** To a new file, or where none is named by `print`. Throws `output-exists`, `output-failed`. */
export async function writeResult(
  context: CommandContext,
  { file, text, print }: Result,
): Promise<void> {
  if (file === undefined) return print(text);
  const path = resolve(context.surroundings.workingFolder, file);
  try {
    await writeFile(path, text, { flag: 'wx' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') {
      const words = `${file} exists already, and nothing is written over it`;
      throw new Failure('output-exists', words, { cause: error });
    }
    throw new Failure('output-failed', `${file} cannot be written: ${message}`, { cause: error });
  }
}

interface Result {
  readonly file: string | undefined;
  readonly text: string;
  readonly print: (text: string) => Promise<void>;
}
