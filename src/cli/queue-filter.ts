/** The options that say which queued mail is meant; the same for `list` and for orders. */
import type { Command } from 'commander';
import { Option } from 'commander';
import type { QueueMatchQuery } from '../api/contract/queue-orders.ts';
import { parseDuration } from '../config/duration.ts';
import { parseAddress } from '../mail/address.ts';
import { parseDomain } from '../mail/domain.ts';
import { Failure } from '../mail/failure.ts';
import { parseQueueId } from '../mail/queue-id.ts';

export interface FilterOptions {
  readonly state?: 'queued' | 'held';
  readonly domain?: string;
  readonly sender?: string;
  readonly cause?: string;
  readonly connector?: string;
  readonly route?: string;
  readonly organization?: string;
  readonly olderThan?: number;
}

export function withFilterOptions(command: Command): Command {
  return command
    .addOption(new Option('--state <state>', 'only these').choices(['queued', 'held']))
    .option('--domain <domain>', 'only with recipients in this domain', readDomain)
    .option('--sender <sender>', 'only from this address or domain; <> for DSNs', readSender)
    .option('--cause <word>', 'only whose last attempt ended so, as tls-not-offered')
    .option('--connector <name>', 'only what goes by this outbound connector')
    .option('--route <key>', 'only to this next hop, as `queue list --json` names it')
    .option('--organization <id>', 'only of this organization')
    .option('--older-than <time>', 'only what came in longer ago, as 2h or 3d', readAge);
}

/** Null filters nothing. */
export function toMatchQuery(
  id: string | undefined,
  options: FilterOptions,
  nowMs: number,
): QueueMatchQuery {
  const { state, domain, sender, cause, connector, route, organization, olderThan } = options;
  const receivedBefore =
    olderThan === undefined ? undefined : new Date(nowMs - olderThan).toISOString();
  const all = { id, state, domain, sender, cause, connector, route, organization, receivedBefore };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** Throws `option-wrong` where the text is no queue id. */
export function readQueueId(text: string): string {
  if (parseQueueId(text) !== null) return text.toUpperCase();
  throw new Failure('option-wrong', `"${text}" is no queue id: 12 letters and digits`);
}

function readDomain(text: string): string {
  const domain = parseDomain(text);
  if (domain !== null) return domain;
  throw new Failure('option-wrong', `--domain: "${text}" is not a domain name`);
}

function readSender(text: string): string {
  if (text === '' || text === '<>') return '<>';
  if (parseAddress(text) !== null || parseDomain(text) !== null) return text;
  throw new Failure('option-wrong', `--sender: "${text}" is no address, domain or <>`);
}

function readAge(text: string): number {
  const ms = parseDuration(text);
  if (ms !== null) return ms;
  throw new Failure('option-wrong', `--older-than: "${text}" is no time as 30m, 2h or 3d`);
}
