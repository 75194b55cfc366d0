import { smtpTargets } from './targets/smtp.ts';
import { testTargets } from './test-targets.ts';

testTargets(smtpTargets);
