/** Every room's failure codes in one table, for the API's answers and the CLI's exit codes. */
import { apiFailures } from '../api/failures.ts';
import { configFailures } from '../config/failures.ts';
import { deliveryFailures } from '../delivery/failures.ts';
import { identityFailures } from '../identity/failures.ts';
import { queueFailures } from '../queue/failures.ts';
import { receivingFailures } from '../receiving/failures.ts';
import { storeFailures } from '../store/failures.ts';
import { tlsFailures } from '../tls/failures.ts';
import type { FailureTable } from '../mail/failure.ts';
import { appFailures } from './failures.ts';

export const allFailures: FailureTable = {
  ...apiFailures,
  ...appFailures,
  ...configFailures,
  ...deliveryFailures,
  ...identityFailures,
  ...queueFailures,
  ...receivingFailures,
  ...storeFailures,
  ...tlsFailures,
};
