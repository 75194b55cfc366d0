/** What a configuration is refused for, as a row of a table of tests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf } from './config-sample.ts';
import { formatProblem } from './problem.ts';

/** What is refused, the configuration, the one key that the error stands at, and words of it. */
export type RefusalCase = readonly [what: string, yaml: string, key: string, words: RegExp];

/** One test for each: exactly one error, at its key, with its words. */
export function testRefusals(cases: readonly RefusalCase[]): void {
  for (const [what, yaml, key, words] of cases) {
    test(`refuses ${what}`, () => {
      const errors = problemsOf(yaml).filter((problem) => problem.severity === 'error');
      const texts = errors.map(formatProblem);
      assert.deepEqual(
        errors.map((problem) => problem.key),
        [key],
        texts.join('\n'),
      );
      assert.match(texts[0]!, words);
    });
  }
}
