/**
 * A policy object while it is put together from what another system says, with a report line for
 * each property that went into it.
 *
 * What cannot be carried over safely turns the object off; it never makes it weaker.
 */
import type { ObjectKind } from '../policy-object.ts';
import { show } from '../readers.ts';
import type { MoveLine, MoveOutcome, MovePlace } from './move-report.ts';

/** Kinds that can be off. */
const switchable: ReadonlySet<ObjectKind> = new Set([
  'inbound-connector',
  'outbound-connector',
  'rule',
]);

/** A property of the source, with its place. */
export interface Spot extends MovePlace {
  readonly property: string;
}

export class Draft {
  readonly kind: ObjectKind;
  readonly name: string;
  readonly value: Record<string, unknown> = {};
  readonly place: MovePlace;
  readonly #subject: string;
  #lines: MoveLine[] = [];
  #isOff = false;
  #isDropped = false;
  /** What the source protects by it, in words; null where nothing, or where it was off there. */
  protects: string | null = null;

  constructor(kind: ObjectKind, name: string, place: MovePlace, subject: string) {
    this.kind = kind;
    this.name = name;
    this.place = place;
    this.#subject = subject;
  }

  get isDropped(): boolean {
    return this.#isDropped;
  }

  get isOff(): boolean {
    return this.#isOff;
  }

  get lines(): readonly MoveLine[] {
    return this.#lines;
  }

  say({ property, file, line }: Spot, outcome: MoveOutcome, text: string): void {
    this.#lines.push({ file, line, subject: this.#subject, property, outcome, text });
  }

  /** Sets the key as the source has it. */
  take(spot: Spot, key: string, value: unknown): void {
    this.value[key] = value;
    this.say(spot, 'taken-over', `${key}: ${show(value)}`);
  }

  /** Sets the key to something else; `why` completes "requireTls: true, …". */
  change(spot: Spot, key: string, value: unknown, why: string): void {
    this.value[key] = value;
    this.say(spot, 'changed', `${key}: ${show(value)}, ${why}`);
  }

  leave(spot: Spot, why: string): void {
    this.say(spot, 'left-out', why);
  }

  /** Cannot be carried over, and nothing is weaker for it. */
  miss(spot: Spot, why: string): void {
    this.say(spot, 'not-possible', why);
  }

  /** Cannot be carried over, and without it the object would be weaker: so it is off. */
  turnOff(spot: Spot, why: string): void {
    this.say(spot, 'not-possible', why);
    this.#isOff = true;
  }

  /** The same, where `why` says that it is off. */
  turnOffAndSaySo(spot: Spot, why: string): void {
    this.turnOff(spot, why);
    this.value['enabled'] = false;
  }

  /** Says that it is off, where it was on in the source. Once, after all properties. */
  finish(): void {
    if (!this.#isOff || this.#isDropped || this.value['enabled'] === false) return;
    if (!switchable.has(this.kind)) return;
    this.value['enabled'] = false;
    const text =
      'it is off (enabled: false), since a part of it is not possible here; mend that part, then turn it on';
    this.say({ ...this.place, property: '' }, 'not-possible', text);
  }

  /** The object is not made, and nothing of it acts; `outcome` says whether anything is missing. */
  drop(why: string, outcome: 'not-possible' | 'left-out'): void {
    this.#isDropped = true;
    this.#lines = this.#lines.map((line) => dropLine(line, outcome));
    const text = `it is not made: ${why}`;
    this.say({ ...this.place, property: '' }, outcome, text);
  }
}

function dropLine(line: MoveLine, outcome: 'not-possible' | 'left-out'): MoveLine {
  if (line.outcome === 'left-out' || line.outcome === 'not-possible') return line;
  return { ...line, outcome, text: `nothing, since the whole is not made (${line.text})` };
}
