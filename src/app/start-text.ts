/** What a start says to whoever looks: where it listens, and the commands that send a first message. */
import { resolve } from 'node:path';
import { quoteShell } from '../cli/quote-shell.ts';
import type { Config } from '../config/config.ts';
import { formatAddress } from '../mail/address.ts';
import type { Policy } from '../policy/policy.ts';
import { foldersOf } from './data-folder.ts';
import type { Gateway } from './control.ts';
import type { EmbeddedConfiguration } from './first-start.ts';
import { homeOrganization } from './home-organization.ts';
import type { ListenerAddress } from './messages.ts';

export interface StartFacts {
  readonly gateway: Pick<
    Gateway,
    'listeners' | 'socketPath' | 'metricsPort' | 'apiPort' | 'firstLink' | 'storeChange'
  >;
  readonly config: Config;
  readonly policy: Policy;
  /** Null where a configuration was given. */
  readonly embedded: EmbeddedConfiguration | null;
  readonly commandName: string;
  readonly isRoot: boolean;
}

export function describeStart(facts: StartFacts): string {
  const { gateway, config, policy, embedded } = facts;
  const lines = [
    `Postern is ready as ${policy.hostName}.`,
    '',
    ...gateway.listeners.map(describeListener),
    `  API          ${gateway.socketPath}`,
    ...describeApi(config, gateway.apiPort),
    ...describeMetrics(config, gateway.metricsPort),
    `  data         ${config.dataFolder}`,
    `  config       ${config.file}`,
  ];
  if (gateway.firstLink !== null) {
    lines.push(
      '',
      'Nobody can sign in yet. The first administrator comes by this link, once, within a day:',
      `  ${gateway.firstLink}`,
      `A new one: ${facts.commandName} person invite`,
    );
  }
  if (gateway.storeChange !== null) {
    const { formats, backup } = gateway.storeChange;
    const changes = formats.map(
      ({ what, from, to }) => `The ${what} was changed from version ${from} to ${to}.`,
    );
    lines.push(
      '',
      `${changes.join(' ')} An older Postern does not understand it.`,
      'The way back, which loses mail and changes of the time between:',
      `  stop this one, then with the older Postern: postern restore ${quoteShell(backup)} \\`,
      `    --to ${quoteShell(config.dataFolder)} --replace`,
    );
  }
  if (facts.isRoot) {
    lines.push(
      '',
      'It runs as root. Set `user` in the configuration before you use it in earnest.',
    );
  }
  if (embedded !== null) lines.push('', ...describeFirstSteps(facts, embedded));
  return `${lines.join('\n')}\n`;
}

function describeListener({ name, kind, tls, host, port }: ListenerAddress): string {
  const how = tls === 'implicit' ? 'TLS from the first byte' : 'STARTTLS';
  const what = kind === 'mx' ? 'mail from other servers' : 'mail from signed-in accounts';
  const where = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return `  ${name.padEnd(12)} ${where.padEnd(18)} ${what}, ${how}`;
}

function describeApi({ api }: Config, port: number | null): string[] {
  if (api === null || port === null) return [];
  const name = api.hostNames[0] ?? api.host;
  const hasPort = /[^:]:\d+$|\]:\d+$/.test(name);
  return [`  API          https://${hasPort ? name : `${name}:${port}`}/v1`];
}

function describeMetrics({ metrics }: Config, port: number | null): string[] {
  if (port === null) return [];
  const host = metrics.host.includes(':') ? `[${metrics.host}]` : metrics.host;
  return [`  metrics      http://${host}:${port}/metrics`];
}

function describeFirstSteps(facts: StartFacts, embedded: EmbeddedConfiguration): string[] {
  const { config, policy, commandName } = facts;
  const organization = homeOrganization(policy);
  const mailbox = organization?.mailboxes[0];
  const primary = mailbox?.addresses[0];
  if (organization === null || mailbox === undefined || primary === undefined) return [];
  const address = formatAddress(primary);
  const { firstPassword } = embedded;
  const password = firstPassword?.password ?? 'PASSWORD';
  const lines = ['Send a first message and see what became of it:', ''];
  const where = socketOption(facts.gateway.socketPath);
  lines.push(`  ${commandName} send --to ${address} --subject "First message" --wait${where}`);
  const submission = facts.gateway.listeners.find(
    (l) => l.kind === 'submission' && l.tls === 'starttls',
  );
  if (submission !== undefined) {
    const server = `${submission.host}:${submission.port}`;
    lines.push(
      `  swaks --server ${server} --tls --auth PLAIN --auth-user ${mailbox.account} \\`,
      `    --auth-password '${password}' --from ${address} --to ${address}`,
    );
  }
  const folder = `${foldersOf(config.dataFolder).mailboxes}/${organization.id}/${mailbox.account}`;
  lines.push(
    `  ${commandName} trace ID${where}          (the queue id that either prints)`,
    `  ls ${quoteShell(`${folder}/new`)}`,
  );
  if (firstPassword !== null) {
    const { account } = firstPassword;
    lines.push('', `The password of ${account}, shown this once: ${firstPassword.password}`);
  }
  return lines;
}

/** Nothing where the commands find the gateway by themselves: its data in `./data`. */
function socketOption(socketPath: string): string {
  const isFound = socketPath === foldersOf(resolve('data')).socket;
  return isFound ? '' : ` --socket ${quoteShell(socketPath)}`;
}
