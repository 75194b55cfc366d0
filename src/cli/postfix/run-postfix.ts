/**
 * sendmail, mailq, postqueue and postsuper, for programs that call them: the same API as everything else.
 *
 * There is no spool beside the gateway's: while it is down the caller is told so with 75, and keeps
 * its mail. For `app/main.ts`, which is linked under these names.
 */
import { userInfo } from 'node:os';
import { basename } from 'node:path';
import type { ApiClient } from '../../api/client.ts';
import { formatAddress, parseAddress } from '../../mail/address.ts';
import { parseDomain } from '../../mail/domain.ts';
import { Failure } from '../../mail/failure.ts';
import type { CommandContext } from '../command-context.ts';
import { connectGateway } from '../command-context.ts';
import { exitCode } from '../exit-code.ts';
import { readInputBytes } from '../read-input.ts';
import { formatMailq } from './mailq-text.ts';
import { orderAll, runPostqueue, runPostsuper } from './post-commands.ts';
import type { SendmailCall } from './sendmail-arguments.ts';
import { parseSendmail } from './sendmail-arguments.ts';
import { hasField, toMessage } from './sendmail-message.ts';

export type PostfixName = 'sendmail' | 'mailq' | 'newaliases' | 'postqueue' | 'postsuper';

const names: readonly PostfixName[] = ['sendmail', 'mailq', 'newaliases', 'postqueue', 'postsuper'];

/** By which of these names the program was started, also as `postern-mailq`; null for its own. */
export function postfixNameOf(startedAs: string): PostfixName | null {
  const name = basename(startedAs).replace(/^postern-/, '');
  return names.find((each) => each === name) ?? null;
}

/** Throws Failures; a gateway that does not run is `gateway-down`, to be tried again. */
export async function runPostfix(
  name: PostfixName,
  argv: readonly string[],
  context: CommandContext,
): Promise<number> {
  try {
    const client = await connectGateway(context, {});
    switch (name) {
      case 'sendmail':
        return await runSendmail(context, client, parseSendmail(argv));
      case 'mailq':
        await context.out.print(await formatMailq(client));
        return exitCode.ok;
      case 'newaliases':
        return exitCode.ok;
      case 'postqueue':
        return await runPostqueue(context, client, argv);
      case 'postsuper':
        return await runPostsuper(context, client, argv);
    }
  } catch (error) {
    if (error instanceof Failure && error.code === 'gateway-not-running') {
      throw new Failure('gateway-down', error.message, { cause: error });
    }
    throw error;
  }
}

async function runSendmail(
  context: CommandContext,
  client: ApiClient,
  call: SendmailCall,
): Promise<number> {
  switch (call.mode) {
    case 'list':
      await context.out.print(await formatMailq(client));
      return exitCode.ok;
    case 'flush':
      await orderAll(context, client, 'retry', {});
      return exitCode.ok;
    case 'aliases':
      return exitCode.ok;
    case 'send':
      return submit(context, client, call);
  }
}

const inputTimeoutMs = 600_000;

async function submit(
  context: CommandContext,
  client: ApiClient,
  call: SendmailCall,
): Promise<number> {
  if (!call.readsRecipients && call.recipients.length === 0) {
    throw new Failure('option-wrong', 'no recipient is given, and no -t');
  }
  const origin = await readOrigin(context, client);
  const from = toAddress(call.sender ?? userInfo().username, origin);
  const message = toMessage(await readInputBytes(context.stdin, inputTimeoutMs), call.ignoresDots);
  const { readsRecipients, notify, ret, envelopeId } = call;
  await client.submit({
    from,
    to: call.recipients.map((recipient) => toAddress(recipient, origin)),
    content: withAuthor(message, from, call.fullName).toString('base64'),
    ...(readsRecipients ? { recipientsFromHeader: true, defaultDomain: origin } : {}),
    ...(notify === null ? {} : { notify: [...notify] }),
    ...(ret === null && envelopeId === null ? {} : { dsn: { ret, envelopeId } }),
  });
  return exitCode.ok;
}

/** The domain of names without one: $POSTERN_ORIGIN, else that of the mailbox that speaks for the gateway. */
async function readOrigin(context: CommandContext, client: ApiClient): Promise<string> {
  const named = context.surroundings.env['POSTERN_ORIGIN'];
  if (named !== undefined && named !== '') {
    const domain = parseDomain(named);
    if (domain !== null) return domain;
    throw new Failure('address-wrong', `POSTERN_ORIGIN: "${named}" is not a domain`);
  }
  const { defaultSender, hostName } = await client.status();
  return parseAddress(defaultSender ?? '')?.domain ?? hostName;
}

function toAddress(text: string, origin: string): string {
  const bare = text.replace(/^<(.*)>$/, '$1');
  const address = parseAddress(bare) ?? parseAddress(`${bare}@${origin}`);
  if (address !== null) return formatAddress(address);
  throw new Failure('address-wrong', `"${text}" is not a mail address`);
}

/** The gateway adds Date, Message-ID and a bare From; the name of -F only we know. */
function withAuthor(message: Buffer, from: string, fullName: string | null): Buffer {
  if (fullName === null || hasField(message, 'From')) return message;
  const name = fullName.replace(/[^\x20-\x7e]/g, ' ').replace(/["\\]/g, '\\$&');
  return Buffer.concat([Buffer.from(`From: "${name}" <${from}>\r\n`), message]);
}
