/** What is forgotten and what is not: traces by age, facts by whether a trace cites them. */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { migrations } from './migrations.ts';
import { Retention } from './retention.ts';
import { citedHashes } from './rows.ts';
import { sampleFact } from './sample-batch.ts';

const dayMs = 24 * 60 * 60_000;
const hourMs = 60 * 60_000;

function open(nowMs: () => number) {
  const db = new DatabaseSync(':memory:');
  for (const sql of migrations) db.exec(sql);
  const settings = { traceRetentionMs: 30 * dayMs, factRefreshMs: hourMs };
  const retention = new Retention(db, settings, nowMs);
  const addTrace = db.prepare('INSERT INTO trace (key, at_ms, kind, json) VALUES (?, ?, ?, ?)');
  const addFact = db.prepare('INSERT INTO fact (hash, kind, seen_at_ms, json) VALUES (?, ?, ?, ?)');
  const addMessage = db.prepare(`INSERT INTO message VALUES (?, 'o', 0, 0, NULL, 0, '{}', NULL)`);
  return {
    retention,
    trace(key: number, atMs: number, ...texts: string[]) {
      const hashes = texts.map((text) => sampleFact(text).hash);
      addTrace.run(key, atMs, 'attempt', JSON.stringify(hashes));
    },
    fact(text: string, seenAtMs: number) {
      const { hash, kind, json } = sampleFact(text);
      addFact.run(hash, kind, seenAtMs, json);
    },
    message: (key: number) => addMessage.run(key),
    finish: (key: number) => db.prepare('DELETE FROM message WHERE key = ?').run(key),
    /** Number of steps that a whole sweep took. */
    sweep(limit: number): number {
      retention.start();
      let steps = 0;
      for (; retention.isSweeping; steps++) retention.step(limit);
      return steps;
    },
    keys: () =>
      db
        .prepare('SELECT key FROM trace ORDER BY id')
        .all()
        .map((row) => row['key']),
    facts: () =>
      db
        .prepare('SELECT json FROM fact ORDER BY id')
        .all()
        .map((row) => row['json']),
  };
}

const textOf = (text: string): string => sampleFact(text).json;

describe('retention', () => {
  it('forgets old traces, and facts that only they cite', () => {
    const db = open(() => 100 * dayMs);
    db.fact('old', 60 * dayMs);
    db.fact('both', 90 * dayMs);
    db.trace(1, 60 * dayMs, 'old', 'both');
    db.trace(2, 90 * dayMs, 'both');
    db.sweep(10);
    assert.deepEqual(db.keys(), [2]);
    assert.deepEqual(db.facts(), [textOf('both')]);
  });

  it('keeps the trace and the facts of a message that is still queued, however old', () => {
    let nowMs = 100 * dayMs;
    const db = open(() => nowMs);
    db.message(1);
    db.fact('held', 10 * dayMs);
    db.trace(1, 10 * dayMs, 'held');
    db.trace(2, 11 * dayMs, 'held');
    db.sweep(10);
    nowMs = 180 * dayMs;
    db.sweep(10);
    assert.deepEqual(db.keys(), [1]);
    assert.deepEqual(db.facts(), [textOf('held')]);
    db.finish(1);
    db.sweep(10);
    assert.deepEqual(db.keys(), []);
    nowMs = 300 * dayMs;
    db.sweep(10);
    assert.deepEqual(db.facts(), []);
  });

  it('keeps a fact as long as its last citation may be younger than was noted', () => {
    const db = open(() => 100 * dayMs);
    db.fact('x', 70 * dayMs - hourMs);
    db.trace(1, 70 * dayMs, 'x');
    db.sweep(10);
    assert.deepEqual(db.facts(), [textOf('x')]);
  });

  it('looks at a bounded number of rows per step, and resumes where it was', () => {
    const db = open(() => 100 * dayMs);
    for (let key = 1; key <= 100; key++) db.trace(key, 10 * dayMs);
    db.trace(101, 99 * dayMs);
    const steps = db.sweep(10);
    assert.deepEqual(db.keys(), [101]);
    assert.ok(steps >= 11 && steps <= 13, `${steps} steps`);
  });

  it('starts over after a step was rolled back', () => {
    const db = open(() => 100 * dayMs);
    for (let key = 1; key <= 5; key++) db.trace(key, 10 * dayMs);
    db.retention.start();
    db.retention.step(2);
    db.retention.restart();
    while (db.retention.isSweeping) db.retention.step(2);
    assert.deepEqual(db.keys(), []);
  });
});

describe('citedHashes', () => {
  it('finds hashes wherever they stand, and nothing else', () => {
    const hash = sampleFact('x').hash;
    assert.deepEqual(citedHashes(JSON.stringify({ a: [{ evidence: hash }], b: `x${hash}` })), [
      hash,
    ]);
  });
});
