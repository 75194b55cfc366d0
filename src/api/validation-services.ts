/** What the API serves of validations and alarms. */
import type { ValidationRun, ValidationStep } from '../policy/validation/run.ts';
import type { ProbeAnswer, ProbeOrderView } from './contract/probe.ts';
import type {
  AlarmListView,
  AlarmQuery,
  ValidationListView,
  ValidationOrderView,
  ValidationQuery,
} from './contract/validation.ts';

/** A connector of an organization. */
export interface ConnectorOf {
  readonly organization: string;
  readonly name: string;
}

/** A run that has begun. */
export interface BegunValidation {
  /** Tells the steps, from the first one on. */
  watch(onStep: (step: ValidationStep) => void): void;
  /** Rejects with a Failure where the run is lost. */
  readonly run: Promise<ValidationRun>;
}

/** All of them may throw a Failure. */
export interface ValidationServices {
  /** Throws before anything is dialled, where the order is refused. `recipients` undefined: the connector's. */
  startValidation(of: ConnectorOf, order: ValidationOrderView): Promise<BegunValidation>;
  /** Throws before anything is dialled or looked up, where the order is refused. */
  probeConnector(of: ConnectorOf, order: ProbeOrderView): Promise<ProbeAnswer>;
  /** Throws `outbound-connector-unknown`. */
  listValidations(of: ConnectorOf, query: ValidationQuery): Promise<ValidationListView>;
  /** Throws `validation-unknown`. */
  readValidation(of: ConnectorOf, id: string): Promise<ValidationRun>;
  listAlarms(query: AlarmQuery): Promise<AlarmListView>;
}
