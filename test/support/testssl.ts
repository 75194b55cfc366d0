/**
 * testssl.sh, a scanner of TLS servers, against the gateway; and the findings that we accept, each
 * with its reason.
 */
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from './gateway.ts';

const program = '/usr/bin/testssl';

/** Null where this machine can run the tests; else what to install. */
export async function whyNoTestssl(): Promise<string | null> {
  try {
    await access(program);
    return null;
  } catch {
    return 'testssl.sh is missing: apt-get install testssl.sh';
  }
}

export interface TlsFinding {
  readonly id: string;
  readonly severity: string;
  readonly finding: string;
}

/**
 * Protocols, suites, forward secrecy, preferences and certificate; and the known weaknesses. Without
 * the simulations of clients and the tests of single suites, which take most of a full run.
 */
const checks = ['-p', '-s', '-f', '-S', '-P'];
const weaknesses = '-U';

/** Scans one port of loopback as the host `name`. Throws where the scan did not end well. */
export async function scanTls(
  port: number,
  name: string,
  options: {
    readonly caFile: string;
    readonly isStartTls: boolean;
    readonly hasWeaknesses: boolean;
  },
): Promise<readonly TlsFinding[]> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-testssl-'));
  const file = join(folder, 'findings.json');
  try {
    const words = [
      program, '--quiet', '--color', '0', '--warnings', 'batch', '-n', 'none', '--ip', '127.0.0.1',
      '--add-ca', options.caFile, '--jsonfile', file, ...checks,
    ]; // prettier-ignore
    if (options.hasWeaknesses) words.push(weaknesses);
    if (options.isStartTls) words.push('-t', 'smtp');
    words.push(`${name}:${port}`);
    const { code, stdout, stderr } = await runProgram(words, { timeoutMs: 400_000 });
    const findings = JSON.parse(await readFile(file, 'utf8')) as readonly TlsFinding[];
    const last = options.hasWeaknesses ? 'LUCKY13' : 'certificate_transparency';
    if (!findings.some(({ id }) => id === last)) {
      throw new Error(`the scan ended early with ${code}:\n${stdout}${stderr}`);
    }
    return findings;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** `finding` is what the scanner may say of it; `isConstant` where it must. */
export interface AcceptedFinding {
  readonly id: string;
  readonly finding: RegExp;
  readonly reason: string;
  readonly isConstant: boolean;
}

/** What is neither good nor a mere fact. */
export const acceptedFindings: readonly AcceptedFinding[] = [
  {
    id: 'engine_problem',
    finding: /^No engine or GOST support/,
    reason: 'of the scanner’s own OpenSSL: it cannot ask for GOST suites, which we do not have',
    isConstant: true,
  },
  {
    id: 'cert_revocation',
    finding: /^Neither CRL nor OCSP URI provided$/,
    reason: 'the test’s CA revokes nothing; which certificate is presented is the administrator’s',
    isConstant: true,
  },
  {
    id: 'sessionresumption_ticket',
    finding: /^check failed because of connect problem$/,
    reason:
      'the scanner leaves before the ticket of TLS 1.3 arrives, and then resumes from an empty file; src/tls tests say where we resume',
    isConstant: false,
  },
];

/** What the scanner must say, whatever it thinks of it. */
export const wantedFindings: Readonly<Record<string, RegExp>> = {
  SSLv2: /^not offered/,
  SSLv3: /^not offered/,
  TLS1: /^not offered/,
  TLS1_1: /^not offered/,
  TLS1_2: /^offered/,
  TLS1_3: /^offered/,
  cipherlist_AVERAGE: /^not offered/,
  cipherlist_3DES_IDEA: /^not offered/,
  cipherorder_TLSv1_2:
    /^ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-ECDSA-AES128-GCM-SHA256$/,
  cipherorder_TLSv1_3:
    /^TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256 TLS_AES_128_GCM_SHA256$/,
  cert_chain_of_trust: /^passed/,
};
