import { trustTargets } from './targets/trust.ts';
import { testTargets } from './test-targets.ts';

testTargets(trustTargets);
