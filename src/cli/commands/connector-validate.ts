/** `postern connector validate`: a connector, in force or a draft, tried by the path of its mail. */
import type { Command } from 'commander';
import type { ValidationOrderInput } from '../../api/contract/validation.ts';
import { formatAddress, parseAddress } from '../../mail/address.ts';
import { Failure } from '../../mail/failure.ts';
import type { ValidationStep } from '../../policy/validation/run.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { exitCode } from '../exit-code.ts';
import { findOutboundConnector } from '../find-outbound-connector.ts';
import { formatJson } from '../json-text.ts';
import { readDraft } from '../read-draft.ts';
import { formatOutcome, formatStep } from '../validation-text.ts';
import { whoAsks } from '../who.ts';

interface Options extends GatewayOptions {
  readonly organization?: string;
  readonly to?: readonly string[];
  readonly tlsOnly?: boolean;
  readonly draft?: string;
  /** False by `--no-data`. */
  readonly data: boolean;
  readonly from?: string;
  readonly reversePath?: string;
  readonly subject?: string;
  readonly json?: boolean;
}

const codeOf = {
  succeeded: exitCode.ok,
  partial: exitCode.changes,
  failed: exitCode.unavailable,
} as const;

export function addConnectorValidate(connector: Command, context: CommandContext): void {
  const command = connector
    .command('validate')
    .summary('try an outbound connector for real')
    .description(
      "Tries an outbound connector by the path that its mail takes, against its own demands, apart from live mail: who it is for, DNS, each host at each address, TLS, certificate and names, MAIL and RCPT, then a test message to the addresses that are named, or to the connector's validationRecipients. A connector that is off or only observes is judged as if it enforced. Steps are shown as they are done; the run is kept. Exits with 0 if every host would take the mail, with 2 if only some would, with 69 if none would.",
    )
    .argument('<name>', 'the connector')
    .option('--organization <id>', 'whose it is, where several have one of this name')
    .option('--to <address...>', 'addresses to test with, at most 10')
    .option('--tls-only', 'look no further than TLS: nothing is asked and nothing is sent')
    .option('--draft <file>', 'validate this connector, in YAML, in the place of the one in force')
    .option('--no-data', 'stop before the message: MAIL and RCPT alone')
    .option('--from <address>', "sender in the header, of the organization (default: Exchange's)")
    .option('--reverse-path <address>', 'sender of the envelope (default: the null reverse-path)')
    .option('--subject <text>', "subject of the test message (default: Exchange's)");
  withJsonOption(withGatewayOptions(command))
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'connector validate contoso --to ann@contoso.com',
        'connector validate contoso --draft contoso.yaml --no-data --to ann@contoso.com',
      ),
    )
    .action((name: string, options: Options) => validate(context, name, options));
}

async function validate(context: CommandContext, name: string, options: Options): Promise<void> {
  const order = await orderOf(context, options);
  const client = await connectGateway(context, options);
  const { organization = null, draft, json = false } = options;
  const isDraft = draft !== undefined;
  const of = await findOutboundConnector(client, name, { organization, isDraft });
  let shown: Promise<void> = Promise.resolve();
  const onStep = (step: ValidationStep): void => {
    if (!json) shown = shown.then(() => context.out.print(formatStep(step)));
    // Whoever no longer reads ends the command below; the run goes on.
    shown.catch(() => undefined);
  };
  const run = await client.validateConnector(of, order, onStep);
  await shown;
  const text = json ? formatJson(run) : `\n${formatOutcome(run, context.width)}`;
  await context.out.print(text);
  context.setExitCode(codeOf[run.result]);
}

async function orderOf(context: CommandContext, options: Options): Promise<ValidationOrderInput> {
  const { to, tlsOnly = false, draft, from, reversePath, subject, data } = options;
  if (tlsOnly && to !== undefined) {
    throw new Failure('option-wrong', '--tls-only asks nobody: leave --to away');
  }
  const recipients = tlsOnly ? [] : to?.map((text) => readAddress('--to', text));
  const { workingFolder } = context.surroundings;
  return {
    ...(recipients === undefined ? {} : { recipients }),
    draft: draft === undefined ? null : await readDraft(workingFolder, draft),
    from: from === undefined ? null : readAddress('--from', from),
    reversePath:
      reversePath === undefined || reversePath === '<>'
        ? '<>'
        : readAddress('--reverse-path', reversePath),
    subject: subject ?? null,
    stopBefore: data ? null : 'data',
    by: whoAsks(context),
  };
}

function readAddress(option: string, text: string): string {
  const parsed = parseAddress(text);
  if (parsed !== null) return formatAddress(parsed);
  throw new Failure('address-wrong', `${option}: "${text}" is no address`);
}
