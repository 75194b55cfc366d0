/** `postern replay`: what another configuration would have made of the mail of the last days. */
import type { Command } from 'commander';
import { readText } from '../../config/read-text.ts';
import { asIfProven } from '../../config/domain-verification.ts';
import { formatProblem } from '../../config/problem.ts';
import { Failure } from '../../mail/failure.ts';
import type { Policy } from '../../policy/policy.ts';
import { replayRecorded } from '../../policy/replay.ts';
import type { CommandContext } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  profileOf,
  requireOption,
  withJsonOption,
} from '../command-context.ts';
import { exitCode } from '../exit-code.ts';
import { findConfigFile } from '../find-gateway.ts';
import { formatJson } from '../json-text.ts';
import type { ReplayedView } from '../../api/contract/replay.ts';
import { describeReplay, replayDays } from '../../api/contract/replay.ts';
import type { RecordPlace } from '../read-recorded-mail.ts';
import { readDays, readRecordedMail } from '../read-recorded-mail.ts';
import { ReplaySummary } from '../../policy/replay-summary.ts';
import { formatReplay } from '../replay-text.ts';

interface Options {
  readonly config?: string;
  readonly days: number;
  readonly organization?: string;
  readonly data?: string;
  readonly socket?: string;
  readonly profile?: string;
  readonly json?: boolean;
}

export function addReplay(program: Command, context: CommandContext): void {
  const command = program
    .command('replay')
    .summary('say what another configuration would change')
    .description(
      'Judges the recorded mail of the last days by another configuration and says what would have been otherwise: refused or accepted, sent another way, under a weaker or stricter requirement, or stopped, since the recorded TLS does not meet what would be demanded. Counted by partner and reason, with the first queue ids. What the record does not tell is said so. Nothing is sent and nothing changes. It reads from the gateway that runs by the configuration which serve would take, else by the candidate itself, or from the data folder where none runs. Exits with 2 if anything would change.',
    )
    .option('--config <file>', 'the configuration to judge by (needed)')
    .option(
      '--days <number>',
      'how far back, 1 to 3650; no further than the trace is kept',
      readDays,
      replayDays,
    )
    .option('--organization <id>', 'only the mail of this organization')
    .option('--data <folder>', 'read this data folder, whether or not a gateway runs')
    .option('--socket <path>', "the running gateway's socket (default: run/api.sock in its data)")
    .option('--profile <name>', 'read from a gateway elsewhere, as `profile add` named it');
  withJsonOption(command)
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'replay --config candidate.yaml --days 30',
        'replay --config candidate.yaml --data /var/lib/postern --json',
      ),
    )
    .action((options: Options) => replay(context, options));
}

async function replay(context: CommandContext, options: Options): Promise<void> {
  const file = await findCandidate(context, options);
  const found =
    (await askElsewhere(context, file, options)) ?? (await read(context, file, options));
  const { formatVersion, ...rest } = found;
  const { policyRevision, days } = found;
  const text =
    options.json === true
      ? formatJson({ formatVersion, file, ...rest })
      : formatReplay(found, found, { file, policyRevision, days }, context.width);
  await context.out.print(text);
  context.setExitCode(found.changed === 0 ? exitCode.ok : exitCode.changes);
}

/** Null where no gateway elsewhere is meant, or it has more to read than its time allows. */
async function askElsewhere(
  context: CommandContext,
  file: string,
  options: Options,
): Promise<ReplayedView | null> {
  const place = await findPlace(context, options, file);
  if (place.profile === undefined) return null;
  const client = await connectGateway(context, place);
  const { days, organization } = options;
  const candidate = await readText(file);
  if ('problem' in candidate) throw new Failure('file-unreadable', `${file} ${candidate.problem}`);
  try {
    return await client.replay({ config: candidate.text, days, organization });
  } catch (error) {
    if (error instanceof Failure && error.code === 'api-timeout') return null;
    throw error;
  }
}

/** Page by page, of the gateway that is meant or of its data folder. */
async function read(
  context: CommandContext,
  file: string,
  options: Options,
): Promise<ReplayedView> {
  const { days, organization, json = false } = options;
  const candidate = await loadCandidate(context, file);
  const summary = new ReplaySummary();
  const place = await findPlace(context, options, file);
  const span = { days, organization, isQuiet: json };
  const found = await readRecordedMail(context, place, span, (recorded) =>
    summary.add(recorded, replayRecorded(candidate, recorded)),
  );
  return describeReplay(summary.view(), found, { policyRevision: candidate.revision, days });
}

async function findCandidate(context: CommandContext, { config }: Options): Promise<string> {
  const named = requireOption(config, '--config');
  return (await findConfigFile(named, context.surroundings))!;
}

async function loadCandidate(context: CommandContext, file: string): Promise<Policy> {
  const result = await context.offline.loadCandidate(file);
  // Whose a domain is shows in DNS; what the file means is meant for when it does.
  if (result.kind === 'loaded') return asIfProven(result.policy);
  const problem = result.problems.find(({ severity }) => severity === 'error');
  const first = problem === undefined ? file : formatProblem(problem);
  throw new Failure('config-unusable', `the candidate cannot be used: ${first}`);
}

/** A candidate lies beside the configuration in force, or anywhere: the one that serve would take is asked first. */
async function findPlace(
  context: CommandContext,
  options: Options,
  candidate: string,
): Promise<RecordPlace> {
  const { profile, socket, data } = options;
  const elsewhere =
    data === undefined ? profileOf({ profile, socket }, context.surroundings) : null;
  if (elsewhere !== null) return { profile: elsewhere };
  if (socket !== undefined || data !== undefined) return { socket, data };
  const inForce = await findConfigFile(undefined, context.surroundings);
  return { config: inForce ?? candidate };
}
