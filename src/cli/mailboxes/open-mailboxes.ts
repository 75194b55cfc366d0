/**
 * Where the mailboxes are that a command means: with the gateway, by its API; or in the configuration file,
 * as long as nothing but that says what the policy is. Then a change over the API would leave behind a file
 * that the next reload refuses, and a password that nobody could write into it.
 */
import type { ApiClient } from '../../api/client.ts';
import { Failure } from '../../mail/failure.ts';
import { configFileOf } from '../change-config.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import { connectGateway, profileOf } from '../command-context.ts';
import { fileMailboxes } from './file-mailboxes.ts';
import type { MailboxBook } from './mailbox-book.ts';
import { storedMailboxes } from './stored-mailboxes.ts';

/** `organization`: the one that is meant where several are. */
export interface MailboxOptions extends GatewayOptions {
  readonly organization?: string;
}

/** For changes. Throws `gateway-not-running` where only a running gateway can make them. */
export async function openMailboxes(
  context: CommandContext,
  options: MailboxOptions,
): Promise<MailboxBook> {
  const { offline, nowMs, surroundings } = context;
  const organization = options.organization ?? null;
  const stored = (client: ApiClient): MailboxBook => storedMailboxes(client, organization);
  if (profileOf(options, surroundings) !== null) {
    return stored(await connectGateway(context, options));
  }
  const running = await findRunning(context, options);
  if (running !== null) {
    const { client, file, dataFolder } = running;
    const isOfFile = file !== null && (await offline.isPolicyOfFile(file, dataFolder));
    return isOfFile ? fileMailboxes({ file, organization, client, nowMs }) : stored(client);
  }
  const file = await configFileOf(context, options.config);
  if (await offline.isPolicyOfFile(file, null))
    return fileMailboxes({ file, organization, client: null, nowMs });
  const text = `no gateway runs here, and it alone can change its mailboxes: they are kept in its data folder and not in ${file}`;
  throw new Failure('gateway-not-running', text);
}

/** Of the running gateway; null where none runs here. */
export async function openRunningMailboxes(
  context: CommandContext,
  options: MailboxOptions,
): Promise<MailboxBook | null> {
  if (profileOf(options, context.surroundings) !== null) {
    return storedMailboxes(await connectGateway(context, options), options.organization ?? null);
  }
  const running = await findRunning(context, options);
  return running === null ? null : storedMailboxes(running.client, options.organization ?? null);
}

interface Running {
  readonly client: ApiClient;
  /** It runs on. */
  readonly file: string | null;
  readonly dataFolder: string | null;
}

/** Null where none runs and no socket was named. */
async function findRunning(
  context: CommandContext,
  options: GatewayOptions,
): Promise<Running | null> {
  try {
    const client = await connectGateway(context, options);
    const { configFile, dataFolder } = await client.status();
    return { client, file: configFile, dataFolder };
  } catch (error) {
    const isDown = error instanceof Failure && error.code === 'gateway-not-running';
    if (isDown && options.socket === undefined) return null;
    throw error;
  }
}
