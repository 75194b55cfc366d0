/** Validations and alarms as the API serves them. */
import type { ValidationOrderView } from '../../api/contract/validation.ts';
import type { ConnectorOf, ValidationServices } from '../../api/validation-services.ts';
import type { Address } from '../../mail/address.ts';
import { parseAddress } from '../../mail/address.ts';
import type { Policy } from '../../policy/policy.ts';
import type { ConnectorKey } from '../../store/control/validation-runs.ts';
import type { ValidationOrder } from './order.ts';
import { probeConnector } from './probe.ts';
import type { Validations } from './validations.ts';

export function validationServices(
  validations: Validations,
  policy: () => Policy,
): ValidationServices {
  return {
    probeConnector: (of, order) => probeConnector({ validations, policy }, of, order),
    startValidation: (of, order) => validations.start(toOrder(of, order)),
    listValidations: async (of, { limit, before = null }) => {
      const key = keyOf(of);
      const standing = validations.standingOf(key);
      const runs = validations.list(key, { before, limit });
      const next = runs.length === limit ? (runs.at(-1)?.id ?? null) : null;
      return {
        formatVersion: 1,
        ...key,
        ...standing,
        validationRecipients: [...standing.validationRecipients],
        runs: runs.map((run) => ({ ...run, recipients: [...run.recipients] })),
        next,
      };
    },
    readValidation: async (of, id) => validations.read(keyOf(of), id),
    listAlarms: async ({ organization = null }) => ({
      formatVersion: 1,
      alarms: [...validations.alarms(organization)],
    }),
  };
}

function keyOf({ organization, name }: ConnectorOf): ConnectorKey {
  return { organization, connector: name };
}

/** The contract has checked the addresses. */
function toOrder(of: ConnectorOf, view: ValidationOrderView): ValidationOrder {
  const { recipients, reversePath, from, subject, draft, stopBefore, by } = view;
  return {
    ...keyOf(of),
    draft,
    recipients: recipients === undefined ? null : recipients.map(read),
    reversePath: reversePath === '<>' ? null : read(reversePath),
    from: from === null ? null : read(from),
    subject,
    stopBefore,
    trigger: 'order',
    orderedBy: by,
  };
}

function read(text: string): Address {
  return parseAddress(text)!;
}
