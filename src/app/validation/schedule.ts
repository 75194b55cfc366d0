/**
 * Validates connectors by themselves, as `validationEvery` says: spread out, one after the other, never
 * with a message.
 */
import { Failure } from '../../mail/failure.ts';
import type { OutboundConnector, Policy } from '../../policy/policy.ts';
import type { Log } from '../../report/log.ts';
import type { ConnectorKey } from '../../store/control/validation-runs.ts';
import type { ValidationOrder } from './order.ts';
import type { StartedValidation } from './validations.ts';

export interface ScheduleParts {
  readonly policy: () => Policy;
  /** RFC 3339; null for never. */
  readonly lastStartedAt: (key: ConnectorKey) => string | null;
  readonly start: (order: ValidationOrder) => Promise<Pick<StartedValidation, 'run'>>;
  /** Told the policy each time before it is looked at. */
  readonly onTick: (policy: Policy) => void;
  readonly log: Log;
  readonly now?: () => number;
}

const tickMs = 60_000;
/** New connectors, and all after a long stop, are not validated at once. */
const spreadMs = 3_600_000;

export class ValidationSchedule {
  readonly #parts: ScheduleParts;
  readonly #now: () => number;
  readonly #startedAtMs: number;
  #timer: NodeJS.Timeout | null = null;
  #isRunning = false;
  #isClosed = false;

  constructor(parts: ScheduleParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
    this.#startedAtMs = this.#now();
  }

  start(): void {
    this.#timer = setInterval(() => void this.tick(), tickMs);
    this.#timer.unref();
  }

  /** Runs all that are due now, one after the other; nothing while an earlier round still runs. */
  async tick(): Promise<void> {
    if (this.#isRunning || this.#isClosed) return;
    this.#isRunning = true;
    try {
      const policy = this.#parts.policy();
      this.#parts.onTick(policy);
      for (const { key } of this.#due(policy)) {
        if (this.#isClosed) return;
        await this.#runOne(key);
      }
    } catch (error) {
      this.#parts.log.error(
        { err: error },
        'the schedule of validations failed; it is tried again',
      );
    } finally {
      this.#isRunning = false;
    }
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Longest due first. */
  #due({ organizations }: Policy): readonly Due[] {
    const nowMs = this.#now();
    const all = organizations.flatMap(({ id, outboundConnectors }) =>
      outboundConnectors.flatMap((connector) => {
        const key = { organization: id, connector: connector.name };
        const atMs = this.#dueAtMs(key, connector);
        return atMs === null || atMs > nowMs ? [] : [{ key, atMs }];
      }),
    );
    return all.sort((a, b) => a.atMs - b.atMs);
  }

  /** Null where it is never due. */
  #dueAtMs(key: ConnectorKey, { enabled, validation }: OutboundConnector): number | null {
    const { everyMs } = validation;
    if (!enabled || everyMs === null) return null;
    const last = this.#parts.lastStartedAt(key);
    // The same for each start, so that a gateway that is often restarted validates as often.
    const offsetMs = spreadOf(key) * Math.min(spreadMs, everyMs);
    if (last === null) return this.#startedAtMs + offsetMs;
    const dueMs = Date.parse(last) + everyMs;
    const isOverdue = dueMs < this.#startedAtMs;
    return isOverdue ? this.#startedAtMs + offsetMs : dueMs;
  }

  async #runOne({ organization, connector }: ConnectorKey): Promise<void> {
    const order: ValidationOrder = {
      organization,
      connector,
      draft: null,
      recipients: null,
      reversePath: null,
      from: null,
      subject: null,
      stopBefore: 'data',
      trigger: 'schedule',
      orderedBy: 'schedule',
    };
    try {
      await (
        await this.#parts.start(order)
      ).run;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const fields = { organization, connector, code: error.code };
      this.#parts.log.warn(fields, `a validation by schedule could not run: ${error.message}`);
    }
  }
}

interface Due {
  readonly key: ConnectorKey;
  readonly atMs: number;
}

/** 0 <= x < 1, the same for the same connector. */
function spreadOf({ organization, connector }: ConnectorKey): number {
  let hash = 0;
  for (const character of `${organization}\n${connector}`) {
    hash = (Math.imul(hash, 31) + character.codePointAt(0)!) >>> 0;
  }
  return hash / 2 ** 32;
}
