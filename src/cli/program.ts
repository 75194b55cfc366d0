/** The tree of commands; also what `docs/cli.md` is written from. */
import { Command } from 'commander';
import type { CommandContext } from './command-context.ts';
import { addAlarms } from './commands/alarms.ts';
import { addAuditCommands } from './commands/audit.ts';
import { addCertCommands } from './commands/cert.ts';
import { addCompletion } from './commands/completion.ts';
import { addBackup } from './commands/backup.ts';
import { addConfigCheck } from './commands/config-check.ts';
import { addConfigReload } from './commands/config-reload.ts';
import { addConfigPrint } from './commands/config-print.ts';
import { addDemo } from './commands/demo.ts';
import { addDomainCommands } from './commands/domain.ts';
import { addDoctor } from './commands/doctor.ts';
import { addExportPostfix } from './commands/export-postfix.ts';
import { addExplain } from './commands/explain.ts';
import { addImport } from './commands/import.ts';
import { addMailboxCommands } from './commands/mailbox.ts';
import { addReadiness } from './commands/connector-readiness.ts';
import { addPartnerCommands } from './commands/partner.ts';
import { addPolicyFileCommands } from './commands/policy-file.ts';
import { addProfileCommands } from './commands/profile.ts';
import { addConnectorCommands, addRuleCommands } from './commands/policy-objects.ts';
import { addSuggest } from './commands/connector-suggest.ts';
import { addConnectorValidate } from './commands/connector-validate.ts';
import { addConnectorValidations } from './commands/connector-validations.ts';
import { addRevisionCommands } from './commands/revision.ts';
import { addQueueList } from './commands/queue-list.ts';
import { addQueueOrders } from './commands/queue-order.ts';
import { addQueueShow } from './commands/queue-show.ts';
import { addPersonCommands } from './commands/person.ts';
import { addReplay } from './commands/replay.ts';
import { addRestore } from './commands/restore.ts';
import { addSend } from './commands/send.ts';
import { addServe } from './commands/serve.ts';
import { addStatus } from './commands/status.ts';
import { addTlsProbe } from './commands/tls-probe.ts';
import { addTokenCommands } from './commands/token.ts';
import { addTrace } from './commands/trace.ts';
import { addVerify } from './commands/verify.ts';
import { addVersion } from './commands/version.ts';

/** Where commander writes help to; it never writes to the process itself. */
export interface HelpSink {
  writeOut(text: string): void;
  writeErr(text: string): void;
}

export function createProgram(context: CommandContext, sink: HelpSink): Command {
  const program = new Command('postern')
    .description('A mail-flow gateway: TLS by default, forced for named partners, with proof.')
    .version(context.offline.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help of a command')
    .exitOverride()
    .configureOutput({
      ...sink,
      // The error's text is written by run-cli.ts, in the words of every other error.
      outputError: () => undefined,
      getOutHelpWidth: () => context.width ?? 80,
      getErrHelpWidth: () => context.width ?? 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  addServe(program, context);
  addDemo(program, context);
  addStatus(program, context);
  addSend(program, context);
  addTrace(program, context);
  const queue = program.command('queue').summary('look at the queue and work on it');
  addQueueList(queue.description('Looks at what waits, and works on it.'), context);
  addQueueShow(queue, context);
  addQueueOrders(queue, context);
  addExplain(program, context);
  addReplay(program, context);
  const connector = program.command('connector').summary('look at connectors and change them');
  addConnectorCommands(connector.description('Looks at connectors and changes them.'), context);
  addReadiness(connector, context);
  addSuggest(connector, context);
  addConnectorValidate(connector, context);
  addConnectorValidations(connector, context);
  addPartnerCommands(program, context);
  addRuleCommands(program, context);
  const config = program.command('config').summary('work on configuration files');
  addConfigCheck(config.description('Works on configuration files.'), context);
  addConfigReload(config, context);
  addConfigPrint(config, context);
  const tls = program.command('tls').summary('look at TLS');
  addTlsProbe(tls.description('Looks at TLS, of others and our own.'), context);
  addCertCommands(program, context);
  addMailboxCommands(program, context);
  addDomainCommands(program, context);
  addExportPostfix(addPolicyFileCommands(program, context), context);
  addImport(program, context);
  addRevisionCommands(program, context);
  addPersonCommands(program, context);
  addTokenCommands(program, context);
  addAuditCommands(program, context);
  addProfileCommands(program, context);
  addAlarms(program, context);
  addDoctor(program, context);
  addBackup(program, context);
  addVerify(program, context);
  addRestore(program, context);
  addVersion(program, context);
  addCompletion(program, context);
  return program;
}
