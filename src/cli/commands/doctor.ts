/** `postern doctor`: what is wrong or will be, and what to do. */
import type { Command } from 'commander';
import { Failure } from '../../mail/failure.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';
import { configFileOf } from '../change-config.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { exitCode } from '../exit-code.ts';
import { formatJson } from '../json-text.ts';
import type { DoctorQuestion, Finding } from '../offline-doctor.ts';
import { wrapToWidth } from '../text-width.ts';

const rowsLooked = 1000;

export function addDoctor(program: Command, context: CommandContext): void {
  const command = program
    .command('doctor')
    .summary('look for what is wrong, and say what to do')
    .description(
      'Examines the configuration, the running gateway and its listeners, certificates, resolvers and DNSSEC, MX and reverse records, smart hosts, clock, disk, file limits, the store and the age of Node.js; each with what to do. It asks the resolvers for ietf.org and dnssec-failed.org to see whether they validate. Exits with 78 if the configuration fails, 69 if anything else does, else 0.',
    );
  withJsonOption(withGatewayOptions(command))
    .addHelpText('after', formatExamples(context.offline.commandName, 'doctor', 'doctor --json'))
    .action(async (options: GatewayOptions & { readonly json?: boolean }) => {
      const isTalking = context.width !== null && options.json !== true;
      const question = await readQuestion(context, options);
      const findings = await context.offline.examine(question, (text) => {
        if (isTalking) void context.err.print(`${text} …\n`).catch(() => undefined);
      });
      const text =
        options.json === true
          ? formatJson({ formatVersion: 1, findings })
          : formatFindings(findings, context.width);
      await context.out.print(text);
      context.setExitCode(codeOf(findings));
    });
}

async function readQuestion(
  context: CommandContext,
  options: GatewayOptions,
): Promise<DoctorQuestion> {
  const configFile = await configFileOf(context, options.config);
  try {
    const client = await connectGateway(context, options);
    const status = await client.status();
    const { rows } = await client.listQueue({ limit: rowsLooked });
    const oldest = rows.map(({ receivedAt }) => receivedAt).sort()[0];
    return { configFile, gateway: { status, oldestReceivedAt: oldest ?? null } };
  } catch (error) {
    // What is wrong with the configuration is a finding; that no gateway runs is one too.
    const codes = ['gateway-not-running', 'config-unusable'];
    if (error instanceof Failure && codes.includes(error.code))
      return { configFile, gateway: null };
    throw error;
  }
}

function codeOf(findings: readonly Finding[]): number {
  const failed = findings.filter(({ level }) => level === 'fail');
  if (failed.length === 0) return exitCode.ok;
  const isConfig = failed.some(({ area }) => area === 'configuration');
  return isConfig ? exitCode.config : exitCode.unavailable;
}

const marks: Readonly<Record<Finding['level'], string>> = {
  ok: 'ok  ',
  warn: 'WARN',
  fail: 'FAIL',
  unknown: '?   ',
};

function formatFindings(findings: readonly Finding[], width: number | null): string {
  const lines = findings.flatMap(({ level, area, subject, text, whatToDo }) => {
    const about = subject === area ? '' : ` ${subject}`;
    const first = sanitizePeerText(`${area}${about}: ${text}`);
    const next = whatToDo === null ? [] : indent(`→ ${sanitizePeerText(whatToDo)}`, width);
    const [head = '', ...rest] = indent(first, width);
    return [`${marks[level]}${head.slice(4)}`, ...rest, ...next];
  });
  const count = (level: Finding['level']): number =>
    findings.filter((each) => each.level === level).length;
  const sum = `${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} failed, ${count('unknown')} not known`;
  return [...lines, '', sum].map((line) => `${line}\n`).join('');
}

function indent(text: string, width: number | null): string[] {
  const lines = width === null ? [text] : wrapToWidth(text, Math.max(20, width - 6));
  return lines.map((line) => `      ${line}`);
}
