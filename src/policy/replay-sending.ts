/** Another policy over the last attempt for each recipient: the same way, under no less, and met. */
import { formatAddress } from '../mail/address.ts';
import { chooseOutbound } from './choose-outbound.ts';
import { findOrganization } from './directory.ts';
import { findWeakened, isOfMessage, requirementOf } from './floor.ts';
import type { Policy } from './policy.ts';
import type { RecordedMessage, RecordedRecipient, RecordedSending } from './recorded.ts';
import type { Change, ChangeKind, Replayed, Undecided } from './replayed.ts';
import type { ReplayedArrival } from './replay-arrival.ts';
import { describeWay, hopOf } from './replay-hop.ts';
import { isAwake } from './replay-rules.ts';
import type { Sent } from './replay-tls.ts';
import { replayTls } from './replay-tls.ts';
import type { Routing } from './routing.ts';
import type { Clause, Requirement } from './tls-requirement.ts';
import { describeDemand } from './tls-requirement.ts';

export function replaySending(
  policy: Policy,
  message: RecordedMessage,
  arrived: ReplayedArrival,
): Replayed {
  const changes: Change[] = [];
  const undecided = new Map<string, Undecided>();
  for (const recipient of message.recipients) {
    const organization = arrived.organizations.get(formatAddress(recipient.recipient));
    if (organization === undefined) continue;
    const found = replayRecipient({ policy, message, arrived }, organization, recipient);
    changes.push(...found.changes);
    for (const each of found.undecided) undecided.set(`${each.why} ${each.detail}`, each);
  }
  return { changes, undecided: [...undecided.values()] };
}

interface Context {
  readonly policy: Policy;
  readonly message: RecordedMessage;
  readonly arrived: ReplayedArrival;
}

function replayRecipient(
  { policy, message, arrived }: Context,
  organization: string,
  { recipient, floor, last }: RecordedRecipient,
): Replayed {
  if (last === null) {
    // Where what it cites is gone, that is said of the whole message.
    const undecided = message.isPartial ? [] : [{ why: 'not-tried', detail: '' } as const];
    return { changes: [], undecided };
  }
  const awake = rulesAwake(policy, organization, message);
  const routing: Routing = {
    ruling: rulingUnder(awake, message),
    isFromOnPremises: arrived.isFromOnPremises,
  };
  const decision = chooseOutbound(policy, organization, recipient, routing);
  const brought = broughtBy(last, floor).filter(
    ({ origin }) => origin.kind !== 'rule' || awake.has(origin.name),
  );
  const requirement = requirementOf(decision, brought);
  const compared = compare({ last, decision, requirement });
  const name = formatAddress(recipient);
  const about = { direction: 'outbound', partner: recipient.domain, recipient: name } as const;
  return {
    changes: compared.changes.map((change) => ({ ...about, ...change })),
    undecided: compared.undecided,
  };
}

function rulesAwake(
  policy: Policy,
  organization: string,
  { atMs, ruling, routes }: RecordedMessage,
): ReadonlySet<string> {
  const isRuled =
    ruling !== null ||
    routes.some(({ clauses }) => clauses.some(({ origin }) => origin.kind === 'rule'));
  if (!isRuled) return noRules;
  const rules = findOrganization(policy, organization)?.rules ?? [];
  return new Set(rules.filter((rule) => isAwake(rule, atMs)).map(({ name }) => name));
}

const noRules: ReadonlySet<string> = new Set();

/** A rule that is there by its name is taken to say what it said; one that is gone says nothing. */
function rulingUnder(
  awake: ReadonlySet<string>,
  { ruling }: RecordedMessage,
): RecordedMessage['ruling'] {
  if (ruling === null || ruling.rule === null || awake.has(ruling.rule)) return ruling;
  return { ...ruling, connector: null, rule: null, overrides: [] };
}

/** What the message itself demanded; a hop inside this machine does not show all of it. */
function broughtBy({ route }: RecordedSending, floor: readonly Clause[]): readonly Clause[] {
  const shown = route.clauses.filter(isOfMessage);
  if (route.decision.destination.kind !== 'hand-over') return shown;
  return [...shown, ...floor.filter(isOfMessage)];
}

type Found = Pick<Change, 'kind' | 'because' | 'reason'>;

function compare(sent: Sent): {
  readonly changes: readonly Found[];
  readonly undecided: readonly Undecided[];
} {
  const { last, decision } = sent;
  const recorded = last.route.decision;
  const { destination } = decision;
  if (destination.kind === 'none') {
    const was = recorded.destination;
    if (was.kind === 'none' && was.isPermanent === destination.isPermanent) return same;
    const kind = destination.isPermanent ? 'returned' : 'deferred';
    const { reason } = destination;
    return { changes: [{ kind, because: 'it would lead nowhere', reason }], undecided: [] };
  }
  const [from, to] = [describeWay(recorded), describeWay(decision)];
  const isOtherWay =
    hopOf(recorded) !== hopOf(decision) || recorded.connector !== decision.connector;
  const routed: Found[] = isOtherWay ? [change('routed', `${from} → ${to}`)] : [];
  const demanded = compareDemands(last.route.clauses, sent.requirement);
  const met = replayTls(sent);
  const isStopped = met.changes.some(({ kind }) => kind === 'deferred');
  const changed = isStopped ? demanded.filter(({ kind }) => kind === 'weaker') : demanded;
  return { changes: [...routed, ...changed, ...met.changes], undecided: met.undecided };
}

const same = { changes: [], undecided: [] };

/** As for the floor. A broken policy that is mended demands no less. */
function compareDemands(recorded: readonly Clause[], today: Requirement): Found[] {
  const sound = recorded.filter(({ kind }) => kind !== 'unsatisfiable');
  const lost = findWeakened(sound, today);
  if (lost.length > 0) return [change('weaker', `no longer demanded: ${describe(lost)}`)];
  const added = findWeakened(today.clauses, { clauses: recorded });
  return added.length > 0 ? [change('stricter', `also demanded: ${describe(added)}`)] : [];
}

function describe(clauses: readonly Clause[]): string {
  return [...new Set(clauses.map(describeDemand))].join(', ');
}

function change(kind: ChangeKind, because: string): Found {
  return { kind, because, reason: because };
}
