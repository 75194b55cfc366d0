import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import { parseConfig } from '../config/load.ts';
import { Failure } from '../mail/failure.ts';
import type { OutboundConnector } from '../policy/policy.ts';
import { outboundConnector, patterns, policy as makePolicy } from '../../test/support/policy.ts';
import { silentLog } from '../report/log.ts';
import { minimalConfig } from '../../test/support/sample-config.ts';
import type { Configuration, ConfigurationResult } from './configuration.ts';
import type { PrepareAnswer } from './messages.ts';
import type { ReloadParts } from './reloader.ts';
import { Reloader } from './reloader.ts';

function configuration(revision: string, changes: Partial<Config> = {}): Configuration {
  const loaded = parseConfig(minimalConfig(), '/etc/postern/postern.yaml');
  assert.equal(loaded.kind, 'loaded');
  const config = { ...loaded.config, ...changes };
  const problemAt: Configuration['problemAt'] = (path, text) => ({
    file: config.file,
    ...loaded.locate(path),
    key: path.join('.'),
    text,
    suggestion: null,
    severity: 'error',
  });
  const { policy, raw, text } = loaded;
  const kept = { text, objects: [], fileDigest: null, files: new Map() };
  return { config, policy, raw, ...kept, revision, warnings: [], problemAt };
}

type FakeLane = ReloadParts['lanes'][number] & { readonly said: string[] };

/** `prepare` null: the lane is down. */
function fakeLane(prepare: PrepareAnswer | null = { kind: 'prepared' }): FakeLane {
  const said: string[] = [];
  const ask = async (name: string) => {
    said.push(name);
    await sleep(1);
    if (prepare === null) throw new Failure('lane-unavailable', 'down');
    return name === 'prepare' ? prepare : name === 'commit' ? [] : null;
  };
  return {
    said,
    shard: 0,
    ask,
    adopt: () => void said.push('adopt'),
    confirm: (hasTakenOver) => void said.push(`confirm ${hasTakenOver}`),
  };
}

function reloaderOf(
  lanes: readonly FakeLane[],
  results: readonly ConfigurationResult[],
  record: () => void = () => undefined,
) {
  const left = [...results];
  const loads: string[] = [];
  const load = async (inForce: Configuration): Promise<ConfigurationResult> => {
    loads.push(inForce.revision);
    await sleep(2);
    return left.shift()!;
  };
  const swaps: string[] = [];
  const onSwap = ({ revision }: Configuration): void => void swaps.push(revision);
  const lookUp = () => Promise.resolve([]);
  const parts = { load, lookUp, record, lanes, log: silentLog, onSwap };
  return { loads, swaps, reloader: new Reloader(configuration('first'), [], parts) };
}

const loaded = (next: Configuration) => ({ kind: 'loaded', configuration: next }) as const;

test('every lane prepares before any is told to swap', async () => {
  const lanes = [fakeLane(), fakeLane()];
  const { reloader, swaps } = reloaderOf(lanes, [loaded(configuration('second'))]);
  const outcome = await reloader.reload();
  assert.equal(outcome.kind, 'reloaded');
  assert.equal(reloader.inForce.revision, 'second');
  assert.deepEqual(swaps, ['second']);
  for (const { said } of lanes) {
    assert.deepEqual(said, ['prepare', 'adopt', 'commit', 'confirm true']);
  }
});

test('one lane that cannot prepare stops it on all, and nothing is adopted', async () => {
  const refusal = { kind: 'refused', path: ['listeners', 0], text: 'no port' } as const;
  const lanes = [fakeLane(), fakeLane(refusal)];
  const { reloader } = reloaderOf(lanes, [loaded(configuration('second'))]);
  const outcome = await reloader.reload();
  assert.equal(outcome.kind, 'refused');
  const [problem] = outcome.problems;
  assert.equal(problem?.text, 'no port');
  assert.ok(problem.line > 1, 'the line of the listener');
  assert.equal(reloader.inForce.revision, 'first');
  assert.deepEqual(reloader.lastRefused?.problems, outcome.problems);
  for (const { said } of lanes) assert.deepEqual(said, ['prepare', 'abandon']);
});

test('what cannot be kept is in force nowhere, by a reload as by a change', async () => {
  const lanes = [fakeLane(), fakeLane()];
  const second = configuration('second');
  const full = (): never => {
    throw new Failure('store-full', 'the disk is full');
  };
  const { reloader, swaps } = reloaderOf(lanes, [loaded(second)], full);
  const outcome = await reloader.reload();
  assert.equal(outcome.kind, 'refused');
  assert.match(outcome.problems[0]!.text, /the disk is full/);
  const changed = reloader.replace(async () => ({ configuration: second, record: full }));
  await assert.rejects(changed, { code: 'store-full' });
  assert.deepEqual([reloader.inForce.revision, swaps], ['first', []]);
  for (const { said } of lanes) {
    assert.deepEqual(said, ['prepare', 'abandon', 'prepare', 'abandon']);
  }
});

test('a lane that is down gets the newest one for its next start, and is told so', async () => {
  const lanes = [fakeLane(null), fakeLane()];
  const { reloader } = reloaderOf(lanes, [loaded(configuration('second'))]);
  assert.equal((await reloader.reload()).kind, 'reloaded');
  assert.deepEqual(lanes[0]!.said, ['prepare', 'adopt', 'confirm false']);
});

test('a lane that is lost between being ready and the swap has the newest one at its next start', async () => {
  const lost = fakeLane();
  const ask: FakeLane['ask'] = async (name, asked, how) => {
    if (name !== 'commit') return lost.ask(name, asked, how);
    lost.said.push(name);
    throw new Failure('lane-unavailable', 'it crashed');
  };
  const other = fakeLane();
  const { reloader, swaps } = reloaderOf([{ ...lost, ask }, other], []);
  assert.equal(
    await reloader.replace(async () => ({ configuration: configuration('next') })),
    null,
  );
  assert.deepEqual(lost.said, ['prepare', 'adopt', 'commit', 'confirm false']);
  assert.deepEqual(other.said, ['prepare', 'adopt', 'commit', 'confirm true']);
  assert.deepEqual(swaps, ['next']);
});

test('what cannot be kept is on no lane, and the next one goes on from what is in force', async () => {
  const lanes = [fakeLane(), fakeLane()];
  const { reloader, swaps } = reloaderOf(lanes, []);
  const record = (): void => {
    for (const { said } of lanes) assert.deepEqual(said, ['prepare'], 'all are ready, none has it');
    throw new Failure('store-full', 'no space left');
  };
  const refused = reloader.replace(async () => ({ configuration: configuration('a'), record }));
  const seen: string[] = [];
  const after = reloader.replace(async ({ revision }) => {
    seen.push(revision);
    return null;
  });
  await assert.rejects(refused, { code: 'store-full' });
  await after;
  for (const { said } of lanes) assert.deepEqual(said, ['prepare', 'abandon']);
  assert.deepEqual([seen, swaps, reloader.inForce.revision], [['first'], [], 'first']);
});

test('what only a restart changes is refused, key by key', async () => {
  const next = configuration('second', { dataFolder: '/elsewhere', user: 'mail', lanes: 7 });
  const lanes = [fakeLane()];
  const { reloader } = reloaderOf(lanes, [loaded(next)]);
  const outcome = await reloader.reload();
  assert.equal(outcome.kind, 'refused');
  assert.deepEqual(
    outcome.problems.map(({ key }) => key),
    ['dataFolder', 'user', 'lanes'],
  );
  assert.ok(outcome.problems.every(({ text }) => text.startsWith('needs a restart: ')));
  assert.deepEqual(lanes[0]!.said, []);
});

test('reloads take turns; those that wait share one, which reads the file after they asked', async () => {
  const results = ['second', 'third'].map((revision) => loaded(configuration(revision)));
  const { reloader, loads, swaps } = reloaderOf([fakeLane()], results);
  const first = reloader.reload();
  await sleep(0);
  const others = [reloader.reload(), reloader.reload()];
  await Promise.all([first, ...others]);
  assert.deepEqual(loads, ['first', 'second']);
  assert.deepEqual(swaps, ['second', 'third']);
});

test('a policy that asks for less is refused until somebody says why; a signal is not asked', async () => {
  const forced = outboundConnector('to the bank', {
    recipientDomains: patterns('bank.test'),
    tlsSettings: 'DomainValidation',
  });
  const lax = { ...forced, mode: 'observe' } as const;
  const withPolicy = (revision: string, ...outboundConnectors: OutboundConnector[]) => ({
    ...configuration(revision),
    policy: makePolicy({ outboundConnectors }),
  });
  const strict = loaded(withPolicy('strict', forced));
  const weak = loaded(withPolicy('weak', lax));
  const { reloader } = reloaderOf([fakeLane()], [strict, weak, weak, strict, weak]);
  assert.equal((await reloader.reload()).kind, 'reloaded');
  const refused = await reloader.reload();
  assert.equal(refused.kind, 'refused');
  assert.match(
    refused.problems[0]!.text,
    /outbound connector "to the bank" of org only observes, and so no longer requires encryption/,
  );
  assert.equal(reloader.inForce.revision, 'strict');
  const reason = 'the bank renews its certificate';
  assert.equal((await reloader.reload({ kind: 'order', reason })).kind, 'reloaded');
  assert.equal((await reloader.reload()).kind, 'reloaded');
  assert.equal((await reloader.reload({ kind: 'signal' })).kind, 'reloaded');
  assert.equal(reloader.inForce.revision, 'weak');
});

test('a configuration that takes unproven domains is refused at its key, too', async () => {
  const proving = loaded(configuration('proving', { domainVerification: 'txt' }));
  const off = loaded(configuration('off', { domainVerification: 'off' }));
  const { reloader } = reloaderOf([fakeLane()], [proving, off, off]);
  assert.equal((await reloader.reload()).kind, 'reloaded');
  const refused = await reloader.reload();
  assert.equal(refused.kind, 'refused');
  assert.equal(refused.problems[0]!.key, 'domainVerification');
  assert.match(refused.problems[0]!.text, /the gateway takes mail for domains that nobody has/);
  const reason = 'all of them are ours';
  assert.equal((await reloader.reload({ kind: 'order', reason })).kind, 'reloaded');
});

test('after a refusal a good one succeeds and the refusal is forgotten', async () => {
  const refused = { kind: 'refused', problems: [configuration('x').problemAt([], 'bad')] } as const;
  const { reloader } = reloaderOf([fakeLane()], [refused, loaded(configuration('second'))]);
  assert.equal((await reloader.reload()).kind, 'refused');
  assert.notEqual(reloader.lastRefused, null);
  assert.equal((await reloader.reload()).kind, 'reloaded');
  assert.equal(reloader.lastRefused, null);
});

test('what a reload would find is said, and nothing is changed', async () => {
  const lane = fakeLane();
  const results: readonly ConfigurationResult[] = [
    loaded(configuration('first')),
    loaded(configuration('second')),
    loaded(configuration('second', { dataFolder: '/elsewhere' })),
    { kind: 'refused', problems: [] },
  ];
  const { reloader, swaps } = reloaderOf([lane], results);
  for (const state of ['same', 'differs', 'needs-restart', 'refused']) {
    assert.equal((await reloader.check()).kind, state);
  }
  assert.deepEqual([lane.said, swaps, reloader.inForce.revision], [[], [], 'first']);
  assert.equal(reloader.lastRefused, null);
});
