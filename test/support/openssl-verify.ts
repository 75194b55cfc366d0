/** `openssl verify` as an oracle: many verdicts per process, in scratch files. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { chainPem } from '../../src/testing/certificates.ts';
import type { TestCertificate } from '../../src/testing/certificates.ts';

/** One question: is this leaf valid for the purpose at the time (epoch milliseconds)? */
export interface OpensslQuestion {
  readonly leaf: TestCertificate;
  readonly sent: readonly TestCertificate[];
  readonly anchors: readonly TestCertificate[];
  readonly purpose: 'serverAuth' | 'clientAuth';
  readonly at: number;
}

const questionsPerProcess = 50;
const processesMax = 2;

/** The answers in the order of the questions: `ok`, or OpenSSL's error. */
export async function askOpenssl(questions: readonly OpensslQuestion[]): Promise<string[]> {
  const answers: string[] = [];
  const starts: number[] = [];
  for (let start = 0; start < questions.length; start += questionsPerProcess) starts.push(start);
  const work = starts.values();
  const run = async (): Promise<void> => {
    for (const start of work) {
      const batch = questions.slice(start, start + questionsPerProcess);
      const found = await askBatch(batch);
      found.forEach((answer, index) => (answers[start + index] = answer));
    }
  };
  await Promise.all(Array.from({ length: processesMax }, run));
  return answers;
}

async function askBatch(questions: readonly OpensslQuestion[]): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-oracle-'));
  try {
    const commands = await Promise.all(
      questions.map(async (question, index) => {
        const file = (name: string): string => join(directory, `${index}-${name}.pem`);
        await writeFile(file('leaf'), question.leaf.pem);
        await writeFile(file('sent'), chainPem(...question.sent));
        await writeFile(file('anchors'), chainPem(...question.anchors));
        const purpose = question.purpose === 'serverAuth' ? 'sslserver' : 'sslclient';
        const untrusted = question.sent.length === 0 ? '' : `-untrusted ${file('sent')}`;
        return (
          `openssl verify -x509_strict -auth_level 2 -policy_check -partial_chain ` +
          `-no-CApath -no-CAstore -purpose ${purpose} -attime ${Math.floor(question.at / 1000)} ` +
          `-CAfile ${file('anchors')} ${untrusted} ${file('leaf')} >${file('out')} 2>&1 ` +
          `&& echo ok || { grep -m1 ^error ${file('out')} || head -1 ${file('out')}; }`
        );
      }),
    );
    const { stdout } = await promisify(execFile)('sh', ['-c', commands.join('\n')]);
    const lines = stdout.trimEnd().split('\n');
    if (lines.length !== questions.length) throw new Error(`odd answers of openssl: ${stdout}`);
    return lines;
  } finally {
    await rm(directory, { recursive: true });
  }
}
