import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { DomainPattern } from '../mail/domain-pattern.ts';
import { matchesDomainPattern } from '../mail/domain-pattern.ts';
import { coversPattern } from './pattern-cover.ts';

const any = { kind: 'any' } as const;
const domains = ['com', 'contoso.com', 'a.contoso.com', 'b.a.contoso.com', 'evilcontoso.com'];
const pattern: fc.Arbitrary<DomainPattern> = fc.oneof(
  fc.constant(any),
  fc.record({ kind: fc.constantFrom('exact', 'wildcard'), domain: fc.constantFrom(...domains) }),
);

test('only * covers *', () => {
  assert.equal(coversPattern({ kind: 'wildcard', domain: 'com' }, any), false);
  assert.equal(coversPattern({ kind: 'exact', domain: 'com' }, any), false);
  assert.equal(coversPattern(any, any), true);
});

test('a pattern that covers another matches all that the other matches', () => {
  fc.assert(
    fc.property(pattern, pattern, fc.constantFrom(...domains, 'x.com'), (outer, inner, domain) => {
      if (!coversPattern(outer, inner) || !matchesDomainPattern(inner, domain)) return;
      assert.ok(matchesDomainPattern(outer, domain));
    }),
  );
});
