/** Runs every scenario folder against a gateway of its own. */
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { listScenarios, runScenario } from '../support/scenario.ts';

const folder = import.meta.dirname;
const names = await listScenarios(folder);

describe('scenarios', { concurrency: 2, timeout: 600_000 }, () => {
  for (const name of names) {
    test(name.replaceAll('-', ' '), { timeout: 60_000 }, () => runScenario(join(folder, name)));
  }
});
