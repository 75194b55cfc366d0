import { ruleTargets } from './targets/rules.ts';
import { testTargets } from './test-targets.ts';

testTargets(ruleTargets);
