/** `postern mailbox list | add | passwd`: mailboxes, and who may sign in to submit mail. */
import type { Command } from 'commander';
import { formatProblem } from '../../config/problem.ts';
import { formatAddress, parseAddress } from '../../mail/address.ts';
import type { Address } from '../../mail/address.ts';
import { Failure } from '../../mail/failure.ts';
import { configFileOf, requireLoaded } from '../change-config.ts';
import type { CommandContext } from '../command-context.ts';
import { formatExamples, withGatewayOptions, withJsonOption } from '../command-context.ts';
import { formatJson } from '../json-text.ts';
import { rowsIn } from '../mailboxes/file-mailboxes.ts';
import type { MailboxOrder, MailboxRow, SavedMailbox } from '../mailboxes/mailbox-book.ts';
import { findMailboxRow, refuseKnown } from '../mailboxes/mailbox-book.ts';
import type { MailboxOptions } from '../mailboxes/open-mailboxes.ts';
import { openMailboxes, openRunningMailboxes } from '../mailboxes/open-mailboxes.ts';
import type { PasswordOptions } from '../mailboxes/take-password.ts';
import { checkPasswordOptions, takePasswordHash } from '../mailboxes/take-password.ts';
import { printable } from '../printable.ts';
import { tellReload } from '../reload-after.ts';
import { formatTable } from '../table.ts';

interface ChangeOptions extends MailboxOptions, PasswordOptions {
  readonly reason?: string;
  readonly dryRun?: boolean;
}

export function addMailboxCommands(program: Command, context: CommandContext): void {
  const mailbox = program
    .command('mailbox')
    .summary('work on mailboxes')
    .description('Works on mailboxes, and on the passwords with which their mail is submitted.');
  addList(mailbox, context);
  addAdd(mailbox, context);
  addPasswd(mailbox, context);
}

function addList(mailbox: Command, context: CommandContext): void {
  const command = mailbox
    .command('list')
    .summary('list the mailboxes')
    .description(
      'Lists the mailboxes of the running gateway, else those that a start would have, and who of them can sign in.',
    );
  withJsonOption(withOrganization(withGatewayOptions(command)))
    .addHelpText('after', formatExamples(context.offline.commandName, 'mailbox list'))
    .action(async (options: MailboxOptions & { readonly json?: boolean }) => {
      const rows = await listRows(context, options);
      const text =
        options.json === true
          ? formatJson({ formatVersion: 1, mailboxes: rows.map(withoutEtag) })
          : formatRows(rows, context.width);
      await context.out.print(text);
    });
}

function withoutEtag({ organization, account, addresses, canSignIn }: MailboxRow) {
  return { organization, account, addresses, canSignIn };
}

async function listRows(
  context: CommandContext,
  options: MailboxOptions,
): Promise<readonly MailboxRow[]> {
  const running = await openRunningMailboxes(context, options);
  if (running !== null) return running.list();
  const loaded = await context.offline.loadInForce(await configFileOf(context, options.config));
  return rowsIn(requireLoaded(loaded), options.organization ?? null);
}

function formatRows(rows: readonly MailboxRow[], width: number | null): string {
  if (rows.length === 0) return 'There are no mailboxes.\n';
  const isShared = rows.some(({ organization }) => organization !== rows[0]!.organization);
  const columns = [
    ...(isShared ? [{ title: 'ORGANIZATION' }] : []),
    { title: 'ACCOUNT' },
    { title: 'SIGN-IN' },
    { title: 'ADDRESSES', mayShrink: true },
  ];
  const body = rows.map(({ organization, account, addresses, canSignIn }) => ({
    cells: [
      ...(isShared ? [organization] : []),
      account,
      canSignIn ? 'yes' : 'no',
      addresses.join(', '),
    ],
  }));
  return formatTable(columns, body, width);
}

const whereKept =
  'It is in force when the command ends. Where the configuration file alone says what the policy is, the file is edited, its comments kept, and taken anew; else the gateway keeps it (docs/policy.md).';

function addAdd(mailbox: Command, context: CommandContext): void {
  const command = mailbox
    .command('add')
    .summary('add a mailbox')
    .description(
      `Adds a mailbox and asks for its password on the terminal. The first address is the primary one; all must lie in accepted domains. ${whereKept}`,
    )
    .argument('<account>', 'name to sign in with; also the name of the Maildir')
    .argument('<address...>', 'mail addresses, the primary one first')
    .option('--without-password', 'nobody can sign in to it; it takes mail only');
  withChangeOptions(command)
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'mailbox add ann ann@example.test ann.smith@example.test',
        'mailbox add scanner scanner@example.test --generate',
      ),
    )
    .action(async (account: string, addresses: readonly string[], options: ChangeOptions) => {
      checkPasswordOptions(options);
      const parsed = addresses.map(checkAddress);
      const mailboxes = await openMailboxes(context, options);
      refuseKnown(await mailboxes.list(), account);
      const organization = await mailboxes.ownerOf(parsed[0]!);
      const order = readOrder(options);
      const mailbox = { organization, account, addresses: parsed.map(formatAddress) };
      // Nobody types a password, or sees one made, for what will be refused.
      const planned = { ...mailbox, passwordHash: null };
      let saved = await mailboxes.add(planned, { ...order, isDryRun: true });
      if (!order.isDryRun) {
        const passwordHash = await takePasswordHash(context, account, options);
        saved = await mailboxes.add({ ...mailbox, passwordHash }, order);
      }
      await tellSaved(context, saved, {
        done: `mailbox ${account} of ${organization} was added`,
        planned: `mailbox ${account} of ${organization} would be added`,
      });
    });
}

function addPasswd(mailbox: Command, context: CommandContext): void {
  const command = mailbox
    .command('passwd')
    .summary('set the password of a mailbox')
    .description(
      `Sets the password of a mailbox, asked for on the terminal and kept as argon2id hash. The old one is good for nothing from then on. ${whereKept}`,
    )
    .argument('<account>', 'name to sign in with, or an address of the mailbox');
  withChangeOptions(command)
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'mailbox passwd ann',
        'mailbox passwd ann --generate',
      ),
    )
    .action(async (name: string, options: ChangeOptions) => {
      checkPasswordOptions(options);
      const mailboxes = await openMailboxes(context, options);
      const row = findMailboxRow(await mailboxes.list(), name);
      const order = readOrder(options);
      const passwordHash = order.isDryRun
        ? null
        : await takePasswordHash(context, row.account, options);
      const saved = await mailboxes.setPassword(row, passwordHash, order);
      await tellSaved(context, saved, {
        done: `${row.account} of ${row.organization} has a new password`,
        planned: `${row.account} of ${row.organization} would get a new password`,
      });
    });
}

function withChangeOptions(command: Command): Command {
  command
    .option('--password-stdin', 'take the password from standard input, one line')
    .option('--generate', 'make a random password and print it once')
    .option('--reason <text>', 'why, for the history of the policy')
    .option('--dry-run', 'only check whether it would be taken; no password is asked for');
  return withOrganization(withGatewayOptions(command));
}

function withOrganization(command: Command): Command {
  return command.option('--organization <id>', 'whose mailbox it is, where there are several');
}

function readOrder({ reason, dryRun }: ChangeOptions): MailboxOrder {
  return { reason: reason ?? null, isDryRun: dryRun === true };
}

/** `planned` is said of a dry run. */
async function tellSaved(
  context: CommandContext,
  saved: SavedMailbox,
  { done, planned }: { readonly done: string; readonly planned: string },
): Promise<void> {
  if (saved.kind === 'stored') {
    const { kind, revision, warnings } = saved.changed;
    for (const each of warnings) {
      await context.err.print(`postern: note: ${printable(formatProblem(each))}\n`);
    }
    const text = kind === 'changed' ? `${done}, revision ${revision}` : `${planned}, ${nothing}`;
    return context.out.print(`${printable(text)}\n`);
  }
  const { file, after } = saved;
  if (after === null) return context.out.print(`${printable(`${planned}, ${nothing}`)}\n`);
  await context.out.print(`${printable(`${file}: ${done}`)}\n`);
  const unasked =
    'The file holds other changes that are not in force yet; `postern config reload` takes them all on.';
  return tellReload(context, after, unasked);
}

const nothing = 'nothing was changed';

function checkAddress(text: string): Address {
  const address = parseAddress(text);
  if (address !== null) return address;
  throw new Failure('option-wrong', `"${text}" is not a mail address`);
}
