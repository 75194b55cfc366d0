/** What every relay benchmark needs before it starts: the load tools, certificates, a folder. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chainPem, makeCa, makeLeaf } from '../../src/testing/certificates.ts';

const run = promisify(execFile);
const here = fileURLToPath(new URL('.', import.meta.url));

export interface Workshop {
  /** Queues and configurations; removed at the end. */
  readonly folder: string;
  readonly loadProgram: string;
  readonly sinkProgram: string;
  /** The CA that issued both certificates, P-256 like them. */
  readonly caFile: string;
  readonly mta: ServerFiles;
  /** For `sink.example`. */
  readonly sink: ServerFiles;
  readonly remove: () => Promise<void>;
}

export interface ServerFiles {
  readonly certificate: string;
  readonly key: string;
  /** Key and certificate in one file, as Postfix wants them. */
  readonly both: string;
}

/** Throws an Error that says what to install. */
export async function openWorkshop(parent: string): Promise<Workshop> {
  const bin = await buildTools();
  const folder = await mkdtemp(join(parent, 'postern-benchmark-'));
  await chmod(folder, 0o755);
  const ca = makeCa('Benchmark CA');
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, ca.pem);
  const serverFiles = async (name: string): Promise<ServerFiles> => {
    const leaf = makeLeaf(ca, [`${name}.example`]);
    const files = {
      certificate: join(folder, `${name}.pem`),
      key: join(folder, `${name}.key`),
      both: join(folder, `${name}.both.pem`),
    };
    await writeFile(files.certificate, chainPem(leaf));
    await writeFile(files.key, leaf.keyPem, { mode: 0o600 });
    await writeFile(files.both, `${leaf.keyPem}${chainPem(leaf)}`, { mode: 0o600 });
    return files;
  };
  return {
    folder,
    loadProgram: join(bin, 'smtpload'),
    sinkProgram: join(bin, 'smtpsink'),
    caFile,
    mta: await serverFiles('mta'),
    sink: await serverFiles('sink'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function buildTools(): Promise<string> {
  const bin = join(here, '../.work/bin');
  await mkdir(bin, { recursive: true });
  try {
    await run('make', ['-s', '-C', join(here, '../tools'), `OUT=${bin}`], { timeout: 120_000 });
  } catch (cause) {
    const text = (cause as { stderr?: string }).stderr ?? '';
    throw new Error(
      `cannot build the load tools: apt-get install gcc make libssl-dev\n${text || String(cause)}`,
      { cause },
    );
  }
  return bin;
}
