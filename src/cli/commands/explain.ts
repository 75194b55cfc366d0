/** `postern explain`: what would happen to a hypothetical message, and why. Nothing is sent. */
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { ExplainAnswer, ExplainQuestion } from '../../api/contract.ts';
import { certificatePemLengthMax, explainQuestionSchema } from '../../api/contract.ts';
import { explainHeaderLengthMax, explainHeadersMax } from '../../api/contract/explain-rules.ts';
import { formatProblem } from '../../config/problem.ts';
import { Failure } from '../../mail/failure.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  requireOption,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { formatExplanation } from '../explain-text.ts';
import { findConfigFile } from '../find-gateway.ts';
import { formatJson } from '../json-text.ts';

interface Options extends GatewayOptions {
  readonly from?: string;
  readonly to?: string;
  readonly ip?: string;
  readonly helo?: string;
  readonly tls: 'none' | '1.2' | '1.3';
  readonly clientCert?: string;
  readonly header?: readonly string[];
  readonly size?: string;
  readonly json?: boolean;
}

interface Judged {
  readonly answer: ExplainAnswer;
  readonly judge: string;
}

export function addExplain(program: Command, context: CommandContext): void {
  const command = program
    .command('explain')
    .summary('say what would happen to a message, and why')
    .description(
      'Says what would happen to a message from A to B: if B is in an accepted domain, what a session is answered; what the mail-flow rules do to it; which connector it takes, what TLS must be, and why the other connectors lost. Nothing is sent and no name is looked up. It asks the running gateway; with --config, or if no gateway runs, it reads the configuration file.',
    )
    .option('--from <address>', 'sender (needed); <> is the null reverse-path')
    .option('--to <address>', 'recipient (needed)')
    .option('--ip <address>', 'address of the client that brings it')
    .option('--helo <name>', "name that the client greets with (default: the sender's domain)")
    .option('--client-cert <file>', 'PEM of the certificate that the client shows, leaf first')
    .option(
      '--header <field>',
      "a field of its header, as in 'Subject: Report'; may be repeated",
      collect,
    )
    .option('--size <bytes>', 'its size, for rules that ask for it')
    .addOption(
      new Option('--tls <version>', 'TLS of the session')
        .choices(['none', '1.2', '1.3'])
        .default('1.3'),
    );
  withJsonOption(withGatewayOptions(command))
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'explain --from user@example.test --to doctor@contoso.com',
        'explain --from doctor@contoso.com --to user@example.test --ip 198.51.100.7 --client-cert partner.pem',
        "explain --from user@example.test --to doctor@contoso.com --header 'Subject: Project X' --size 20000",
      ),
    )
    .action(async (options: Options) => {
      const question = await readQuestion(context, options);
      const { answer, judge } = await judgeQuestion(context, options, question);
      const text =
        options.json === true
          ? formatJson({ ...answer, judge })
          : formatExplanation(answer, judge, context.width);
      await context.out.print(text);
    });
}

async function readQuestion(context: CommandContext, options: Options): Promise<ExplainQuestion> {
  const pem = options.clientCert === undefined ? null : await readPem(context, options.clientCert);
  if (pem !== null && options.tls === 'none') {
    const message = '--client-cert and --tls none exclude one another: no TLS, no certificate';
    throw new Failure('option-wrong', message);
  }
  const from = requireOption(options.from, '--from');
  const question = explainQuestionSchema.safeParse({
    from: from === '<>' || from === '' ? null : from,
    to: requireOption(options.to, '--to'),
    clientAddress: options.ip ?? null,
    heloName: options.helo ?? null,
    encryption: options.tls === 'none' ? 'none' : `TLSv${options.tls}`,
    clientCertificate: pem,
    headers: options.header ?? [],
    sizeBytes: options.size === undefined ? null : Number(options.size.trim() || 'none'),
  });
  if (question.success) return question.data;
  const [field, place] = question.error.issues[0]?.path ?? [];
  if (field === 'headers' && place === undefined) {
    throw new Failure('option-wrong', `--header: at most ${explainHeadersMax} fields are taken`);
  }
  const [option, text, expected] =
    field === 'headers'
      ? (['--header', options.header?.[Number(place)] ?? '', headerExpected] as const)
      : describeWrong(String(field ?? ''), options);
  throw new Failure('option-wrong', `${option}: "${text}" is not ${expected}`);
}

const headerExpected = `a header field on one line of up to ${explainHeaderLengthMax} characters, as in Subject: Report`;

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function describeWrong(field: string, options: Options): readonly [string, string, string] {
  switch (field) {
    case 'from':
      return ['--from', options.from ?? '', 'a mail address'];
    case 'to':
      return ['--to', options.to ?? '', 'a mail address'];
    case 'clientAddress':
      return ['--ip', options.ip ?? '', 'an IP address'];
    case 'sizeBytes':
      return ['--size', options.size ?? '', 'a number of bytes'];
    case 'heloName':
      return ['--helo', options.helo ?? '', 'a name of up to 255 characters'];
    default:
      return ['--client-cert', options.clientCert ?? '', 'a certificate that fits'];
  }
}

async function readPem(context: CommandContext, path: string): Promise<string> {
  const file = resolve(context.surroundings.workingFolder, path);
  const text = await readSmallFile(file);
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new Failure('file-unreadable', `${file} holds no certificate in PEM`);
}

async function readSmallFile(file: string): Promise<string> {
  try {
    const stats = await stat(file);
    if (!stats.isFile()) throw new Error('it is not a file');
    if (stats.size > certificatePemLengthMax) throw new Error('it is too large for a certificate');
    return await readFile(file, 'latin1');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure('file-unreadable', `cannot read ${file}: ${reason}`, { cause: error });
  }
}

/** The gateway that runs knows best; a named file, or a file where none runs, is judged here. */
async function judgeQuestion(
  context: CommandContext,
  options: Options,
  question: ExplainQuestion,
): Promise<Judged> {
  if (options.config !== undefined && options.socket === undefined) {
    const file = await findConfigFile(options.config, context.surroundings);
    return judgeByFile(context, file ?? options.config, question);
  }
  try {
    const client = await connectGateway(context, options);
    return { answer: await client.explain(question), judge: 'the running gateway' };
  } catch (error) {
    const isDown = error instanceof Failure && error.code === 'gateway-not-running';
    if (!isDown || options.socket !== undefined) throw error;
    const file = await findConfigFile(undefined, context.surroundings);
    if (file === null) throw error;
    return judgeByFile(context, file, question);
  }
}

async function judgeByFile(
  context: CommandContext,
  file: string,
  question: ExplainQuestion,
): Promise<Judged> {
  const result = await context.offline.loadInForce(file);
  if (result.kind === 'loaded') {
    const { policy, config } = result;
    const answer = await context.offline.explain(policy, question, config.dataFolder);
    return { answer, judge: `the file ${file}` };
  }
  const problem = result.problems.find((each) => each.severity === 'error');
  const first = problem === undefined ? file : formatProblem(problem);
  throw new Failure('config-unusable', `the configuration cannot be used: ${first}`);
}
