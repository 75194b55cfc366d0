/**
 * Puts another configuration in force while the gateway runs: on every lane, or on none.
 *
 * One at a time. Each lane first prepares everything that can fail; only when all have, all are told to
 * swap. A lane that is down meanwhile starts with the newest good configuration.
 */
import type { ConfigProblem } from '../config/problem.ts';
import { formatProblem } from '../config/problem.ts';
import type { Actor } from '../identity/actor.ts';
import { Failure } from '../mail/failure.ts';
import type { Log } from '../report/log.ts';
import type { Configuration, ConfigurationResult } from './configuration.ts';
import { forLanes } from './configuration.ts';
import type { LaneProcess } from './lane-process.ts';
import type { ListenerAddress, PrepareAnswer } from './messages.ts';
import { findFixedChanges } from './needs-restart.ts';
import type { WeakenedKey } from './weakened-configuration.ts';
import { findWeaker } from './weakened-configuration.ts';

export type ReloadOutcome =
  | {
      readonly kind: 'reloaded';
      readonly configuration: Configuration;
      readonly warnings: readonly ConfigProblem[];
      readonly tookMs: number;
    }
  | { readonly kind: 'refused'; readonly problems: readonly ConfigProblem[] };

/**
 * Who wants it: a signal, or somebody who may say why the policy is to ask for less, and that the file is
 * meant where the policy was changed otherwise since it was read.
 */
export type ReloadOrder =
  | { readonly kind: 'signal' }
  | {
      readonly kind: 'order';
      readonly reason: string | null;
      readonly overwritePolicy?: boolean;
      /** Absent: whoever opened the socket. */
      readonly actor?: Actor;
    };

/** What a reload would find. `weaker`: it asks for less than what is in force, in words. */
export type Candidate =
  | { readonly kind: 'refused' | 'needs-restart'; readonly problems: readonly ConfigProblem[] }
  | {
      readonly kind: 'same' | 'differs';
      readonly configuration: Configuration;
      readonly weaker: readonly WeakenedKey[];
    };

/**
 * What is to be in force. `record` keeps it: it runs when every lane is ready for it and none has it yet,
 * and where it throws nothing changes.
 */
export interface Replacement {
  readonly configuration: Configuration;
  readonly record?: () => void;
}

export interface RefusedReload {
  readonly at: string;
  readonly problems: readonly ConfigProblem[];
}

export interface ReloadParts {
  /** Checks what is to come after the configuration in force: `text`, or the file where it is null. */
  readonly load: (
    inForce: Configuration,
    file: { readonly text: string | null; readonly overwritePolicy: boolean },
  ) => Promise<ConfigurationResult>;
  /** Keeps the policy of a configuration that is about to be in force. Throws where it cannot. */
  readonly record: (configuration: Configuration, by: ReloadOrder) => void;
  /** Warns of hosts that DNS does not know, within a few seconds. */
  readonly lookUp: (configuration: Configuration) => Promise<readonly ConfigProblem[]>;
  readonly lanes: readonly Pick<LaneProcess, 'shard' | 'ask' | 'adopt' | 'confirm'>[];
  readonly log: Log;
  /** Called when another configuration is in force, before anybody is told. */
  readonly onSwap: (configuration: Configuration) => void;
}

export class Reloader {
  readonly #parts: ReloadParts;
  #inForce: Configuration;
  #loadedAt = new Date().toISOString();
  #listeners: readonly ListenerAddress[];
  #lastRefused: RefusedReload | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #next: Promise<ReloadOutcome> | null = null;
  #number = 0;

  constructor(first: Configuration, listeners: readonly ListenerAddress[], parts: ReloadParts) {
    this.#inForce = first;
    this.#listeners = listeners;
    this.#parts = parts;
  }

  get inForce(): Configuration {
    return this.#inForce;
  }

  get loadedAt(): string {
    return this.#loadedAt;
  }

  /** As the first lane opened them. */
  get listeners(): readonly ListenerAddress[] {
    return this.#listeners;
  }

  /** Null once a later one succeeded. */
  get lastRefused(): RefusedReload | null {
    return this.#lastRefused;
  }

  /** Of what stands in it, and of what DNS says to it now. */
  async warningsOf(configuration: Configuration): Promise<readonly ConfigProblem[]> {
    return [...configuration.warnings, ...(await this.#parts.lookUp(configuration))];
  }

  /** What a reload would find in the file, or in `text` if it stood there; nothing is changed. */
  async check(text: string | null = null, overwritePolicy = false): Promise<Candidate> {
    return this.judge(await this.#parts.load(this.#inForce, { text, overwritePolicy }));
  }

  /** What putting it in force would mean, against what is in force now. */
  judge(result: ConfigurationResult): Candidate {
    if (result.kind === 'refused') return result;
    const { configuration } = result;
    const problems = this.#fixedChanges(configuration);
    if (problems.length > 0) return { kind: 'needs-restart', problems };
    if (configuration.revision === this.#inForce.revision) {
      return { kind: 'same', configuration, weaker: [] };
    }
    const weaker = findWeaker(this.#inForce, configuration);
    return { kind: 'differs', configuration, weaker };
  }

  /**
   * Whoever asks while one waits for its turn shares it: the file is read after both asked. A reason
   * is of one order alone. Without one a policy that asks for less is refused, so that somebody says
   * why; a `signal` cannot be asked, and the log says what it weakened.
   */
  reload(by: ReloadOrder = { kind: 'order', reason: null }): Promise<ReloadOutcome> {
    if (by.kind === 'signal' || by.reason !== null || by.overwritePolicy === true)
      return this.#inTurn(() => this.#reload(by));
    this.#next ??= this.#inTurn(() => {
      this.#next = null;
      return this.#reload(by);
    });
    return this.#next;
  }

  /**
   * Puts in force what `take` makes of the configuration in force, in its turn: for files that changed,
   * domains that were proven, another policy. Null leaves all as it is. The answer is why the lanes
   * refused, or null.
   */
  replace(
    take: (inForce: Configuration) => Promise<Replacement | null>,
  ): Promise<readonly ConfigProblem[] | null> {
    return this.#inTurn(async () => {
      const next = await take(this.#inForce);
      return next === null ? null : this.#putInForce(next.configuration, next.record);
    });
  }

  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #reload(by: ReloadOrder): Promise<ReloadOutcome> {
    const startedAtMs = performance.now();
    const overwritePolicy = by.kind === 'order' && by.overwritePolicy === true;
    const candidate = await this.check(null, overwritePolicy);
    if ('problems' in candidate) return this.#refuse(candidate.problems);
    const { configuration, weaker } = candidate;
    if (weaker.length > 0 && by.kind === 'order' && by.reason === null) {
      return this.#refuse(weaker.map((each) => askWhy(configuration, each)));
    }
    const record = (): void => this.#parts.record(configuration, by);
    const problems = await this.#attempt(configuration, record);
    if (problems !== null) return this.#refuse(problems);
    this.#tellWeakenings(weaker, by);
    const tookMs = Math.round(performance.now() - startedAtMs);
    this.#lastRefused = null;
    const { revision, policy } = configuration;
    const warnings = await this.warningsOf(configuration);
    for (const warning of warnings) this.#parts.log.warn({}, formatProblem(warning));
    const fields = { revision, policyRevision: policy.revision, tookMs };
    this.#parts.log.info(fields, 'configuration reloaded');
    return { kind: 'reloaded', configuration, warnings, tookMs };
  }

  /** What cannot be kept is a reason to refuse like any other. */
  async #attempt(
    next: Configuration,
    record: () => void,
  ): Promise<readonly ConfigProblem[] | null> {
    try {
      return await this.#putInForce(next, record);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return [next.problemAt([], error.message)];
    }
  }

  #tellWeakenings(weakenings: readonly WeakenedKey[], by: ReloadOrder): void {
    if (weakenings.length === 0) return;
    const reason = by.kind === 'order' ? by.reason : null;
    const weaker = weakenings.map(({ text }) => text);
    const text =
      'the policy asks for less than before; queued mail keeps what it was accepted under';
    this.#parts.log.warn({ reason, weaker }, text);
  }

  #refuse(problems: readonly ConfigProblem[]): ReloadOutcome {
    this.#lastRefused = { at: new Date().toISOString(), problems };
    const { revision } = this.#inForce;
    const lines = problems.map(formatProblem);
    const text = 'the new configuration is refused; the last good one stays in force';
    this.#parts.log.error({ revision, problems: lines }, text);
    return { kind: 'refused', problems };
  }

  #fixedChanges(next: Configuration): readonly ConfigProblem[] {
    const fixed = findFixedChanges(this.#inForce.config, next.config);
    return fixed.map(({ path, text }) => next.problemAt(path, text));
  }

  /** Null when it is in force; else why not, and nothing has changed. */
  async #putInForce(
    next: Configuration,
    record: () => void = () => undefined,
  ): Promise<readonly ConfigProblem[] | null> {
    const reload = ++this.#number;
    const forAll = forLanes(next);
    const { lanes, log } = this.#parts;
    const answers = await Promise.all(
      lanes.map((lane) => lane.ask('prepare', { ...forAll, reload }).catch(asAnswer)),
    );
    const refused = answers.find((answer) => answer?.kind === 'refused');
    if (refused?.kind === 'refused') {
      await Promise.allSettled(lanes.map((lane) => lane.ask('abandon', reload)));
      return [next.problemAt(refused.path, refused.text)];
    }
    try {
      record();
    } catch (error) {
      await Promise.allSettled(lanes.map((lane) => lane.ask('abandon', reload)));
      throw error;
    }
    for (const lane of lanes) lane.adopt(forAll);
    const committed = lanes.map(async (lane, place) => {
      const answer =
        answers[place] === null ? null : await lane.ask('commit', reload).catch(() => null);
      if (answer === null) log.warn({ lane: lane.shard }, 'a lane was not there for the reload');
      lane.confirm(answer !== null);
      return answer;
    });
    this.#listeners = (await Promise.all(committed))[0] ?? this.#listeners;
    this.#inForce = next;
    this.#loadedAt = new Date().toISOString();
    this.#parts.onSwap(next);
    return null;
  }
}

/** Told where nobody said why the policy asks for less. */
function askWhy(configuration: Configuration, { path, text }: WeakenedKey): ConfigProblem {
  const why = `asks for less than what is in force: ${text}. If that is meant, say why: postern config reload --reason TEXT`;
  return configuration.problemAt(path, why);
}

/** Null for a lane that is down: it begins with what is in force when it starts. */
function asAnswer(error: unknown): PrepareAnswer | null {
  if (!(error instanceof Failure)) throw error;
  if (error.code === 'lane-unavailable') return null;
  return { kind: 'refused', path: [], text: error.message };
}
