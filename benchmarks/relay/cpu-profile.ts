/** Reads V8 CPU profiles: which functions cost how much, within a span of time. */

/** A function's cost as a share of the thread's busy time. */
export interface Hotspot {
  readonly name: string;
  /** `file:line`, or empty for what is no JavaScript. */
  readonly at: string;
  /** In the function itself. */
  readonly self: number;
  /** With everything it calls; recursion counts once. */
  readonly total: number;
}

export interface ThreadProfile {
  /** Seconds that the thread was not idle, within the span. */
  readonly busySeconds: number;
  readonly spanSeconds: number;
  readonly hotspots: readonly Hotspot[];
}

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

/** As V8 writes it; times are microseconds of the monotonic clock. */
export interface RawProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
    readonly children?: readonly number[];
  }[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** From and to in microseconds of the monotonic clock. */
export function readProfile(raw: RawProfile, from: number, to: number): ThreadProfile {
  const parents = new Map<number, number>();
  const frames = new Map<number, CallFrame>();
  for (const node of raw.nodes) {
    frames.set(node.id, node.callFrame);
    for (const child of node.children ?? []) parents.set(child, node.id);
  }
  const selfOf = new Map<string, number>();
  const totalOf = new Map<string, number>();
  let busy = 0;
  let at = raw.startTime;
  for (const [index, id] of raw.samples.entries()) {
    at += raw.timeDeltas[index] ?? 0;
    // A sample stands for the time until the next one.
    const cost = raw.timeDeltas[index + 1] ?? 0;
    const frame = frames.get(id);
    if (at < from || at > to || frame === undefined || frame.functionName === '(idle)') continue;
    busy += cost;
    add(selfOf, keyOf(frame), cost);
    const seen = new Set<string>();
    for (let node: number | undefined = id; node !== undefined; node = parents.get(node)) {
      const key = keyOf(frames.get(node)!);
      if (!seen.has(key)) add(totalOf, key, cost);
      seen.add(key);
    }
  }
  const hotspots = [...totalOf].map(([key, total]) => {
    const [name = '', place = ''] = key.split('\t');
    return { name, at: place, self: (selfOf.get(key) ?? 0) / busy, total: total / busy };
  });
  return { busySeconds: busy / 1e6, spanSeconds: (to - from) / 1e6, hotspots };
}

function add(map: Map<string, number>, key: string, value: number): void {
  map.set(key, (map.get(key) ?? 0) + value);
}

function keyOf({ functionName, url, lineNumber }: CallFrame): string {
  const file = url.replace(/^file:\/\/.*?\/(?=src\/|node_modules\/)/, '');
  return `${functionName || '(anonymous)'}\t${url === '' ? '' : `${file}:${lineNumber + 1}`}`;
}

/** The share of each room or package in the time of the functions themselves, largest first. */
export function sharesOf(profile: ThreadProfile): readonly (readonly [string, number])[] {
  const shares = new Map<string, number>();
  for (const { name, at, self } of profile.hotspots) add(shares, placeOf(name, at), self);
  return [...shares].sort((a, b) => b[1] - a[1]);
}

function placeOf(name: string, at: string): string {
  if (at === '') return name.startsWith('(') ? name : 'native code';
  const room = /^(?:src\/[^/]+|node_modules\/(?:@[^/]+\/)?[^/]+)/.exec(at)?.[0];
  return room ?? /^node:(?:internal\/)?[^/:]+/.exec(at)?.[0] ?? at;
}
