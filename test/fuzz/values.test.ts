import { valueTargets } from './targets/values.ts';
import { testTargets } from './test-targets.ts';

testTargets(valueTargets);
