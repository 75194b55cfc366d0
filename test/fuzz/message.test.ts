import { messageTargets } from './targets/message.ts';
import { testTargets } from './test-targets.ts';

testTargets(messageTargets);
