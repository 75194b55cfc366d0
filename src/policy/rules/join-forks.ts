/**
 * The parts of a message as they are handed on: each address in exactly one of them.
 *
 * Who is reached by several parts (an archive that two rules add) gets one copy, under everything
 * that any of them demands: joining never loosens.
 */
import { formatAddress } from '../../mail/address.ts';
import type { Recipient } from '../../mail/recipient.ts';
import type { Effects, Fork } from './fork.ts';
import { finalRecipientsOf, rulingOf } from './fork.ts';
import type { HeaderEdit } from './header-edit.ts';
import type { Ruling } from './ruling.ts';

/** One part: who gets it, on which way, with which header; `hold` until somebody releases it. */
export interface RuledFork {
  readonly recipients: readonly Recipient[];
  readonly ruling: Ruling;
  readonly hold: { readonly rule: string } | null;
  readonly headerEdits: readonly HeaderEdit[];
}

/** Deleted parts are left out, and equal ones are one. */
export function joinForks(forks: readonly Fork[]): readonly RuledFork[] {
  const kept = forks.filter(({ effects }) => !effects.isDeleted);
  if (kept.length === 1) return [toRuled(finalRecipientsOf(kept[0]!), kept[0]!.effects)];
  const reachedBy = new Map<string, { recipient: Recipient; forks: Effects[] }>();
  for (const fork of kept) {
    for (const recipient of finalRecipientsOf(fork)) {
      const key = formatAddress(recipient);
      const known = reachedBy.get(key);
      if (known === undefined) reachedBy.set(key, { recipient, forks: [fork.effects] });
      else {
        known.forks.push(fork.effects);
        // What the sender asked to be told stays with whom it named.
        if (fork.recipients.includes(recipient)) known.recipient = recipient;
      }
    }
  }
  const groups = new Map<string, { recipients: Recipient[]; effects: Effects }>();
  for (const { recipient, forks: over } of reachedBy.values()) {
    const effects = over.reduce(joinEffects);
    const key = JSON.stringify({ ...effects, redirectedTo: null, added: [] });
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { recipients: [recipient], effects });
    else group.recipients.push(recipient);
  }
  return [...groups.values()].map(({ recipients, effects }) => toRuled(recipients, effects));
}

function toRuled(recipients: readonly Recipient[], effects: Effects): RuledFork {
  const hold = effects.hold === null ? null : { rule: effects.hold };
  return { recipients, ruling: rulingOf(effects), hold, headerEdits: effects.edits };
}

/** The first one's route and header; demands and holds of both; overrides that both have. */
function joinEffects(a: Effects, b: Effects): Effects {
  const overrides = b.route?.overrides ?? [];
  const route = a.route === null ? b.route : a.route;
  const shared = a.route?.overrides.filter((name) => overrides.includes(name)) ?? [];
  const demanded = new Set(a.clauses.map((clause) => JSON.stringify(clause)));
  return {
    ...a,
    route: route === null ? null : { ...route, overrides: shared },
    clauses: [...a.clauses, ...b.clauses.filter((clause) => !demanded.has(JSON.stringify(clause)))],
    hold: a.hold ?? b.hold,
  };
}
