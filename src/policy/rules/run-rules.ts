/**
 * Mail-flow rules on one message, one after the other: what each does to whom, and where one ends it.
 */
import { formatAddress } from '../../mail/address.ts';
import type { Recipient } from '../../mail/recipient.ts';
import type { Reply } from '../../mail/reply.ts';
import type { CompiledRule } from './compile-rules.ts';
import { actionNamesOf } from './condition-name.ts';
import type { Fork } from './fork.ts';
import { noEffects, sendsOn, withActions } from './fork.ts';
import type { RuledFork } from './join-forks.ts';
import { joinForks } from './join-forks.ts';
import type { Judgement } from './judge-rule.ts';
import { judgeRule } from './judge-rule.ts';
import type { Look } from './look.ts';
import type { RuleMessage } from './rule-message.ts';
import type { RecordWriter, RulesRecord } from './rule-record.ts';
import { boundNames } from './rule-record.ts';
import { deferReply, loopReply, rejectReply } from './rule-reply.ts';
import type { Unknown } from './truth.ts';

/**
 * `reject` and `defer` are about the whole message; the rule is in the reply and here. `pass` without
 * forks: rules deleted every copy, and the message is accepted and gone.
 */
export type RulesResult =
  | {
      readonly kind: 'reject' | 'defer';
      readonly rule: string;
      readonly reply: Reply;
      /** Completes "the message was refused, since …"; for logs and the trace. */
      readonly reason: string;
      readonly record: RulesRecord;
    }
  | {
      readonly kind: 'pass';
      readonly forks: readonly RuledFork[];
      /** Null where the organization has no rules. */
      readonly record: RulesRecord | null;
    };

/** How often rules may send a message elsewhere before it counts as a loop. */
export const passesMax = 3;
/** Recipients that all rules together may add to a message. */
export const addedRecipientsMax = 100;

/** The message as it is looked at, and where it is written what the rules did. */
export interface RuledMessage {
  readonly look: Look;
  readonly message: RuleMessage;
  readonly hostName: string;
  readonly record: RecordWriter;
}

/** In the order that is given. */
export function runRules(rules: Iterable<CompiledRule>, ruled: RuledMessage): RulesResult {
  const { look, message, record } = ruled;
  const run = new Run(ruled);
  for (const rule of rules) {
    const end = run.apply(rule);
    if (end !== null) return end;
  }
  const mustEncrypt = (added: Recipient): boolean => message.isOverTls && !look.isInside(added);
  return { kind: 'pass', forks: joinForks(run.forks, mustEncrypt), record: record.finish() };
}

type End = RulesResult & { readonly kind: 'reject' | 'defer' };

/** What the rules so far did to the message. */
class Run {
  forks: readonly Fork[];
  readonly #look: Look;
  readonly #message: RuleMessage;
  readonly #hostName: string;
  readonly #record: RecordWriter;

  constructor({ look, message, hostName, record }: RuledMessage) {
    this.#look = look;
    this.#message = message;
    this.#hostName = hostName;
    this.#record = record;
    this.forks = [{ recipients: message.recipients, live: true, effects: noEffects }];
  }

  /** Null where the next rule follows. */
  apply(compiled: CompiledRule): End | null {
    const { rule, isProtective } = compiled;
    const judgement = judgeRule(compiled, this.#look, this.forks);
    if (judgement.kind === 'missed') {
      this.#record.miss(rule.name, judgement.why);
      return null;
    }
    this.#recordMet(compiled, judgement);
    if (rule.mode === 'Audit') return null;
    if (judgement.unknown !== null && (!isProtective || mayPass(compiled, judgement))) {
      const why = judgement.unknown.unknown;
      const reason = `the rule "${rule.name}" cannot be decided: ${why}`;
      return this.#end('defer', rule.name, deferReply(rule.name, why), reason);
    }
    return this.#reject(compiled) ?? this.#act(compiled, judgement);
  }

  #reject({ rule }: CompiledRule): End | null {
    const action = rule.actions.find((candidate) => candidate.kind === 'reject');
    if (action !== undefined) {
      const answer = rejectReply(action.enhancedStatus, action.text);
      return this.#end('reject', rule.name, answer, `the rule "${rule.name}" rejects it`);
    }
    if (!sendsOn(rule) || this.#message.header.passes < passesMax) return null;
    const reason = `the rule "${rule.name}" would send it elsewhere, which rules did ${this.#message.header.passes} times before`;
    return this.#end('reject', rule.name, loopReply(rule.name), reason);
  }

  #act({ rule }: CompiledRule, judgement: Judgement & { kind: 'met' }): End | null {
    this.forks = judgement.parts.flatMap(({ fork, met, unsure, rest }): Fork[] => {
      const parts: Fork[] = [];
      const effects = withActions(fork.effects, rule, this.#hostName);
      const add = (recipients: readonly Recipient[], live: Fork['live']): void => {
        if (recipients.length > 0) parts.push({ recipients, live, effects });
      };
      if (effects.isDeleted) add([...met, ...unsure], false);
      else if (rule.stopRuleProcessing) {
        add(met, false);
        add(unsure, whetherEnded(rule.name, judgement.unknown));
      } else add([...met, ...unsure], fork.live);
      if (rest.length > 0) parts.push({ ...fork, recipients: rest });
      return parts;
    });
    const deleted = rule.actions.some(({ kind }) => kind === 'delete');
    if (deleted) this.#record.remove(rule.name, namesOf(judgement));
    return this.#judgeAdditions(rule.name);
  }

  #judgeAdditions(rule: string): End | null {
    const added = new Set(
      this.forks.flatMap(({ effects }) =>
        [...effects.added, ...(effects.redirectedTo ?? [])].map(({ recipient }) =>
          formatAddress(recipient),
        ),
      ),
    );
    if (added.size <= addedRecipientsMax) return null;
    const why = `rules add more than ${addedRecipientsMax} recipients`;
    return this.#end('defer', rule, deferReply(rule, why), `${why}, the last of them "${rule}"`);
  }

  #recordMet({ rule }: CompiledRule, judgement: Judgement & { kind: 'met' }): void {
    const names = namesOf(judgement);
    this.#record.meet({
      rule: rule.name,
      mode: rule.mode,
      result: judgement.parts.some(({ met }) => met.length > 0) ? 'matched' : 'unknown',
      why: judgement.unknown?.unknown ?? null,
      recipients: names.length === this.#message.recipients.length ? null : boundNames(names),
      actions: actionNamesOf(rule),
    });
  }

  #end(kind: 'reject' | 'defer', rule: string, answer: Reply, reason: string): End {
    return { kind, rule, reply: answer, reason, record: this.#record.finish() };
  }
}

/** A rejection is for good: where we were only too busy to see, the client is asked to come again. */
function mayPass({ rule }: CompiledRule, { parts, unknown }: Judgement & { kind: 'met' }): boolean {
  const isSure = parts.some(({ met }) => met.length > 0);
  return (
    !isSure && unknown?.isPassing === true && rule.actions.some(({ kind }) => kind === 'reject')
  );
}

function whetherEnded(rule: string, reason: Unknown | null): Unknown {
  const unknown = `whether the rule "${rule}" ends the rules is not known: ${reason?.unknown ?? ''}`;
  return { unknown, isPassing: reason?.isPassing ?? false };
}

function namesOf({ parts }: Judgement & { kind: 'met' }): string[] {
  return parts.flatMap(({ met, unsure }) => [...met, ...unsure].map(formatAddress));
}
