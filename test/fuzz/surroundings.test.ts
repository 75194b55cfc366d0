import { surroundingsTargets } from './targets/surroundings.ts';
import { testTargets } from './test-targets.ts';

testTargets(surroundingsTargets);
