/** How many rehearsals are answered: per domain, in all, in bounded memory. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  answersPerDomainPerHour,
  answersPerHour,
  RehearsalAllowance,
} from './rehearsal-allowance.ts';

const hourMs = 3600_000;

function countTaken(allowance: RehearsalAllowance, domainOf: (i: number) => string, nowMs = 0) {
  let taken = 0;
  for (let i = 0; i < 1000; i++) if (allowance.take(domainOf(i), nowMs) === null) taken++;
  return taken;
}

test('so many an hour for one domain, and then the next when its time has come', () => {
  const allowance = new RehearsalAllowance();
  assert.equal(
    countTaken(allowance, () => 'a.test'),
    answersPerDomainPerHour,
  );
  const waitMs = allowance.take('a.test', 0)!;
  assert.equal(waitMs, hourMs / answersPerDomainPerHour);
  assert.notEqual(allowance.take('a.test', waitMs - 1), null);
  assert.equal(allowance.take('a.test', waitMs), null);
});

test('so many an hour in all, whatever names are invented', () => {
  assert.equal(
    countTaken(new RehearsalAllowance(), (i) => `${i}.test`),
    answersPerHour,
  );
});

test('a process has its share, and at least one', () => {
  assert.equal(
    countTaken(new RehearsalAllowance(1 / 4), () => 'a.test'),
    2,
  );
  assert.equal(
    countTaken(new RehearsalAllowance(1 / 4), (i) => `${i}.test`),
    answersPerHour / 4,
  );
  assert.equal(
    countTaken(new RehearsalAllowance(1 / 1000), (i) => `${i}.test`),
    1,
  );
});

test('what is refused is not remembered, and what is remembered is bounded', () => {
  const allowance = new RehearsalAllowance();
  for (let i = 0; i < 50_000; i++) allowance.take(`${i}.test`, 0);
  assert.ok(allowance.size <= answersPerHour);
  for (let i = 0; i < 20_000; i++) allowance.take(`${i}.test`, i * hourMs);
  assert.ok(allowance.size <= 10_000);
});

test('a clock that goes back gives nothing', () => {
  const allowance = new RehearsalAllowance();
  countTaken(allowance, () => 'a.test', hourMs);
  assert.notEqual(allowance.take('a.test', 0), null);
});
