/** `cert show` and `cert import`: our own certificates, as files and as the configuration names them. */
import { createPrivateKey } from 'node:crypto';
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
import type { Policy } from '../policy/policy.ts';
import { AnchorRegistry } from '../tls/anchors.ts';
import { certificateFacts } from '../tls/certificate-facts.ts';
import { examineChain } from '../tls/chain.ts';
import { assembleCertificate } from '../tls/import-certificate.ts';
import type { GivenFile, ImportedCertificate } from '../tls/import-certificate.ts';
import { describeKey } from '../tls/key-type.ts';
import { parseCertificate } from '../tls/parsed-certificate.ts';
import { pemBlocks } from '../tls/pem.ts';
import { PresentedChain } from '../tls/presented-chain.ts';
import { replaceTogether } from './replace-together.ts';

const fileBytesMax = 4 * 1024 * 1024;

interface Loaded {
  readonly config: Config;
  readonly policy: Policy;
}

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

async function load(file: string): Promise<Loaded> {
  const loaded = await loadInForce(file);
  if (loaded.kind === 'loaded') return loaded;
  throw new Failure('config-refused', loaded.problems.map(formatProblem).join('\n'));
}

/** The roots that others have too. A machine without a store of its own has the bundled ones. */
async function loadAnchors(): Promise<AnchorRegistry> {
  const anchors = new AnchorRegistry();
  await anchors.loadAnchors(['bundled', 'system']);
  return anchors;
}

interface ViewParts extends CertificateFiles {
  readonly name: string | null;
  readonly loaded: Loaded | null;
  readonly anchors: AnchorRegistry;
}

async function viewOf(parts: ViewParts): Promise<CertificateView> {
  const { name, certificateFile: file, keyFile, loaded, anchors } = parts;
  const base = { name, file, usedBy: name === null ? [] : usersOf(name, loaded) };
  const nothing = { certificates: [], keyFits: null, trustedBy: null, trustDetail: '' };
  let ders: Buffer[];
  try {
    ders = certificatesIn(await readBounded(file));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { ...base, ...nothing, problem: error.message };
  }
  const chain = new PresentedChain(ders);
  return {
    ...base,
    problem: null,
    certificates: ders.map((der) => ({
      ...certificateFacts(der),
      keyType: describeKey(parseCertificate(der)?.publicKey() ?? null),
    })),
    keyFits: await keyFits(ders[0]!, keyFile),
    ...judgeTrust(chain, anchors),
  };
}

function certificatesIn({ name, bytes }: GivenFile): Buffer[] {
  const ders = pemBlocks(bytes.toString('latin1'))
    .filter(({ label }) => label === 'CERTIFICATE')
    .map(({ der }) => der);
  if (ders.length > 0) return ders;
  if (parseCertificate(bytes) !== null) return [bytes];
  throw new Failure('tls-certificate-malformed', `${name} holds no certificate`);
}

/** Null where the file holds no key: that is no fault of a certificate file. */
async function keyFits(leaf: Buffer, keyFile: string): Promise<boolean | null> {
  const text = await readFile(keyFile, 'latin1').catch(() => '');
  if (!text.includes('PRIVATE KEY-----')) return null;
  try {
    return parseCertificate(leaf)?.x509()?.checkPrivateKey(createPrivateKey(text)) ?? false;
  } catch {
    // A key that cannot be read fits nothing; what OpenSSL says of it is not shown.
    return false;
  }
}

function judgeTrust(
  chain: PresentedChain,
  anchors: AnchorRegistry,
): Pick<CertificateView, 'trustedBy' | 'trustDetail'> {
  let trustDetail = '';
  for (const name of ['bundled', 'system']) {
    const set = anchors.get(name);
    const path = examineChain(chain, { anchors: name, set, purpose: 'either', at: Date.now() });
    if (path.kind === 'reached') return { trustedBy: name, trustDetail: '' };
    if (trustDetail === '') trustDetail = path.detail;
  }
  return { trustedBy: null, trustDetail };
}

function usersOf(name: string, loaded: Loaded | null): string[] {
  if (loaded === null) return [];
  const { config, policy } = loaded;
  const isShared = policy.organizations.length > 1;
  const ownedBy = (id: string): string => (isShared ? ` of ${id}` : '');
  return [
    ...config.listeners
      .filter(({ serverCertificates }) => serverCertificates.includes(name))
      .map((listener) => `listener ${listener.name}`),
    ...(config.api?.serverCertificates.includes(name) === true ? ['the API'] : []),
    ...policy.organizations.flatMap(({ id, outboundConnectors, deliveryTargets }) => [
      ...outboundConnectors
        .filter(({ clientCertificate }) => clientCertificate === name)
        .map((connector) => `outbound connector ${connector.name}${ownedBy(id)}`),
      ...deliveryTargets
        .filter(({ clientCertificate }) => clientCertificate === name)
        .map((target) => `delivery target ${target.name}${ownedBy(id)}`),
    ]),
  ];
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
