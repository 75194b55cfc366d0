/** Orders on the queue over all shards: from the API's words to the store's, one step at a time. */
import { formatAddress, parseAddress } from '../mail/address.ts';
import { parseDomain } from '../mail/domain.ts';
import { Failure } from '../mail/failure.ts';
import { formatQueueId, parseQueueId } from '../mail/queue-id.ts';
import type { QueueOrder, QueueStepResult, Withheld } from '../queue/order.ts';
import type { DeliveryKey, QueueMatch, SenderMatch } from '../store/store.ts';
import type { QueueMatchQuery, QueueOrderAnswer, QueueOrderView } from './contract/queue-orders.ts';
import { describeQueueRow, describeWeaker } from './queue-view.ts';
import type { IdentifiedQueueRow, Organizations } from './services.ts';

/** The shard that an id names; undefined where all are meant. The texts have been checked. */
export function toMatch(query: QueueMatchQuery): QueueMatch & { readonly shard?: number } {
  const { id, state, domain, sender, cause, connector, route, organization } = query;
  const parsed = id === undefined ? null : parseQueueId(id);
  const recipientDomain = domain === undefined ? null : parseDomain(domain);
  const receivedBefore = query.receivedBefore;
  return {
    ...(parsed === null ? {} : { key: parsed.key, shard: parsed.shard }),
    ...(state === undefined ? {} : { state }),
    ...(recipientDomain === null ? {} : { recipientDomain }),
    ...(sender === undefined ? {} : { sender: toSender(sender) }),
    ...(cause === undefined ? {} : { cause }),
    ...(connector === undefined ? {} : { connector }),
    ...(route === undefined ? {} : { routeKey: route }),
    ...(organization === undefined ? {} : { organization }),
    ...(receivedBefore === undefined ? {} : { receivedBeforeMs: Date.parse(receivedBefore) }),
  };
}

function toSender(text: string): SenderMatch {
  if (text === '<>') return { kind: 'null' };
  const address = parseAddress(text);
  if (address !== null) return { kind: 'address', address };
  return { kind: 'domain', domain: parseDomain(text) ?? text };
}

/** What a step needs of the gateway: its shards, in rising order, and how to order and look. */
export interface OrderServices {
  readonly shards: readonly number[];
  order(shard: number, order: QueueOrder): Promise<QueueStepResult>;
  /** As `order`, but only looks: what would be touched. */
  rehearse(
    shard: number,
    order: QueueOrder,
  ): Promise<QueueStepResult & { readonly rows: readonly IdentifiedQueueRow[] }>;
}

/** One step in one shard, of what belongs to `organizations`. Throws `queue-match-empty` and `queue-cursor-wrong`. */
export async function takeStep(
  view: QueueOrderView,
  services: OrderServices,
  organizations: Organizations,
): Promise<QueueOrderAnswer> {
  const { shard: onlyShard, ...asked } = toMatch(view.match);
  const match = organizations === null ? asked : { ...asked, organizations };
  if (Object.keys(asked).length === 0 && !view.all) {
    const text = 'no filter was given: say `all` where every queued message is meant';
    throw new Failure('queue-match-empty', text);
  }
  const shards = services.shards.filter((each) => onlyShard === undefined || each === onlyShard);
  const at = view.after === null ? { shard: shards[0], after: null } : readCursor(view.after);
  const { shard } = at;
  if (shard === undefined || !shards.includes(shard)) return nothing;
  const { action, by, acceptWeakerPolicy } = view;
  const order = { action, match, after: at.after, by, acceptsWeakerPolicy: acceptWeakerPolicy };
  const done = view.dryRun
    ? await services.rehearse(shard, order)
    : { ...(await services.order(shard, order)), rows: [] };
  const following = shards[shards.indexOf(shard) + 1];
  return {
    changed: done.changed,
    pending: done.pending,
    unfit: done.unfit,
    withheld: done.withheld.map((each) => describeWithheld(each, shard)),
    rows: done.rows.map(describeQueueRow),
    next: formatCursor(shard, done.next, following),
  };
}

const nothing: QueueOrderAnswer = {
  changed: 0,
  pending: 0,
  unfit: 0,
  withheld: [],
  rows: [],
  next: null,
};

function describeWithheld({ key, ordinal, recipients, weaker }: Withheld, shard: number) {
  return {
    id: formatQueueId({ key, shard }),
    ordinal,
    recipients: recipients.map(formatAddress),
    weaker: describeWeaker(weaker),
  };
}

/** `shard.key.ordinal`, or the shard alone where it begins. */
function formatCursor(
  shard: number,
  next: DeliveryKey | null,
  following: number | undefined,
): string | null {
  if (next !== null) return `${shard}.${next.key}.${next.ordinal}`;
  return following === undefined ? null : String(following);
}

function readCursor(text: string): { readonly shard: number; readonly after: DeliveryKey | null } {
  const match = /^(\d{1,2})(?:\.(\d{1,16})\.(\d{1,9}))?$/.exec(text);
  if (match === null) throw new Failure('queue-cursor-wrong', `"${text}" is no cursor of ours`);
  const [, shard, key, ordinal] = match;
  const after = key === undefined ? null : { key: Number(key), ordinal: Number(ordinal) };
  return { shard: Number(shard), after };
}
