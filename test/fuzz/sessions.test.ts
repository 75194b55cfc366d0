import { clientTargets } from './targets/client.ts';
import { serverTargets } from './targets/server.ts';
import { testTargets } from './test-targets.ts';

testTargets([...serverTargets, ...clientTargets]);
