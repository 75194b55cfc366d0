/** `cert show` and `cert import`: our own certificates, as files and as the configuration names them. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  CertificateCommands,
  CertificateView,
  ImportCertificateOrder,
  ImportedView,
  ShowCertificatesQuestion,
} from '../cli/offline-certificates.ts';
import type { CertificateFiles, Config } from '../config/config.ts';
import { findCertificate } from '../config/find-certificate.ts';
import { loadInForce } from './policy/load-file.ts';
import { formatProblem } from '../config/problem.ts';
import { Failure } from '../mail/failure.ts';
import type { AnchorRegistry } from '../tls/anchors.ts';
import { assembleCertificate } from '../tls/import-certificate.ts';
import type { GivenFile, ImportedCertificate } from '../tls/import-certificate.ts';
import type { CertificateUsers } from './certificate-contents.ts';
import { examinePair, loadAnchors, noContents, usersOf } from './certificate-contents.ts';
import { replaceTogether } from './replace-together.ts';

const fileBytesMax = 4 * 1024 * 1024;

export const certificateCommands: CertificateCommands = { show, import: importCertificate };

async function show(question: ShowCertificatesQuestion): Promise<readonly CertificateView[]> {
  const loaded = question.configFile === null ? null : await load(question.configFile);
  const anchors = await loadAnchors();
  const { what } = question;
  const configured = Object.entries(loaded?.config.certificates ?? {});
  if (what === null) {
    return Promise.all(
      configured.map(([name, files]) => viewOf({ name, ...files, loaded, anchors })),
    );
  }
  const named = configured.find(([name]) => name === what.name);
  if (named !== undefined) return [await viewOf({ name: named[0], ...named[1], loaded, anchors })];
  const view = await viewOf({
    name: null,
    certificateFile: what.file,
    keyFile: what.file,
    loaded,
    anchors,
  });
  if (view.problem === null) return [view];
  const known = configured.map(([name]) => name).join(', ') || 'none';
  const text = `${view.problem}; and no certificate of the configuration is called ${what.name} (there is: ${known})`;
  throw new Failure('certificate-unknown', text);
}

async function load(file: string): Promise<CertificateUsers> {
  const loaded = await loadInForce(file);
  if (loaded.kind === 'loaded') return loaded;
  throw new Failure('config-refused', loaded.problems.map(formatProblem).join('\n'));
}

interface ViewParts extends CertificateFiles {
  readonly name: string | null;
  readonly loaded: CertificateUsers | null;
  readonly anchors: AnchorRegistry;
}

async function viewOf(parts: ViewParts): Promise<CertificateView> {
  const { name, certificateFile: file, keyFile, loaded, anchors } = parts;
  const usedBy = name === null || loaded === null ? [] : usersOf(name, loaded);
  const base = { name, file, usedBy };
  try {
    const certificate = await readBounded(file);
    const key = await readFile(keyFile, 'latin1').catch(() => '');
    return { ...base, problem: null, ...examinePair({ certificate, key }, anchors) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { ...base, ...noContents, problem: error.message };
  }
}

async function importCertificate(order: ImportCertificateOrder): Promise<ImportedView> {
  const loaded = await load(order.configFile);
  const known = findCertificate(loaded.config, order.name);
  const files = await Promise.all(order.files.map(readBounded));
  const knownKey =
    known === null ? null : await readFile(known.keyFile, 'latin1').catch(() => null);
  const made = assembleCertificate(files, knownKey, Date.now());
  const target = known ?? newFiles(loaded.config, order.name);
  await replaceTogether(contentsOf(target, made), loaded.config.dataFolder);
  const anchors = await loadAnchors();
  return {
    written: [...new Set([target.certificateFile, target.keyFile])],
    yaml: known === null ? yamlFor(order.name, target) : null,
    notes: made.notes,
    view: await viewOf({ name: order.name, ...target, loaded, anchors }),
  };
}

/** One file for both, so that they change in one step. */
function newFiles({ dataFolder }: Config, name: string): CertificateFiles {
  const file = join(dataFolder, 'certificates', name, 'certificate-and-key.pem');
  return { certificateFile: file, keyFile: file };
}

function contentsOf(target: CertificateFiles, made: ImportedCertificate) {
  const { certificateFile, keyFile } = target;
  if (certificateFile === keyFile) return [{ file: keyFile, text: made.keyPem + made.chainPem }];
  return [
    { file: keyFile, text: made.keyPem },
    { file: certificateFile, text: made.chainPem },
  ];
}

function yamlFor(name: string, { certificateFile, keyFile }: CertificateFiles): string {
  const lines = [
    'certificates:',
    `  ${name}:`,
    `    certificate: ${JSON.stringify(certificateFile)}`,
    `    key: ${JSON.stringify(keyFile)}`,
  ];
  return lines.map((line) => `${line}\n`).join('');
}

async function readBounded(file: string): Promise<GivenFile> {
  try {
    const stats = await stat(file);
    if (!stats.isFile()) throw new Error('it is not a file');
    if (stats.size > fileBytesMax) throw new Error('it is too large');
    return { name: file, bytes: await readFile(file) };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const why = code === 'ENOENT' ? 'there is no such file' : (code ?? (cause as Error).message);
    const name = code === 'ENOENT' ? 'tls-file-missing' : 'tls-file-unreadable';
    throw new Failure(name, `${file}: ${why}`, { cause });
  }
}
