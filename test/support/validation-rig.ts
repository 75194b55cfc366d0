/**
 * Validation with a fake resolver and fake partners on loopback, for tests: `192.0.2.x` and
 * `2001:db8::x` lead to partners, and whatever is dialled is noted.
 */
import { createFakeResolver } from '../../src/dns/fake-resolver.ts';
import type { FakeEntry } from '../../src/dns/fake-zone.ts';
import { dialTcp } from '../../src/delivery/dial.ts';
import type { DeliveryServices } from '../../src/delivery/services.ts';
import { startValidation } from '../../src/delivery/validate/validate.ts';
import type { ValidationTask } from '../../src/delivery/validate/validate.ts';
import type { OutboundConnector, Policy } from '../../src/policy/policy.ts';
import type {
  ValidationRun,
  ValidationStep,
  ValidationStepName,
} from '../../src/policy/validation/run.ts';
import type { FakePartner, FakePartnerOptions } from '../../src/testing/fake-partner.ts';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import { quickLimits, singleZone, toPartner } from './delivery-rig.ts';
import { address, policy } from './policy.ts';
import { client } from './tls-ends.ts';

export interface ValidationRigOptions {
  readonly zone?: Readonly<Record<string, FakeEntry>>;
  readonly services?: Partial<DeliveryServices>;
  readonly policy?: Policy;
}

/** `to` without a list is `b@partner.test`. */
export interface Tried extends Partial<Omit<ValidationTask, 'recipients'>> {
  readonly to?: readonly string[];
  readonly runMs?: number;
}

export interface ValidationRig {
  /** `address port` of everything dialled. */
  readonly dialled: string[];
  /** Told live. */
  readonly told: ValidationStep[];
  partner(address: string, options?: FakePartnerOptions): Promise<FakePartner>;
  validate(connector?: Partial<OutboundConnector>, tried?: Tried): Promise<ValidationRun>;
  close(): Promise<void>;
}

export const testContent = Buffer.from('Subject: Test\r\n\r\nnothing secret\r\n');

export function startValidationRig(options: ValidationRigOptions = {}): ValidationRig {
  const ports = new Map<string, number>();
  const partners: FakePartner[] = [];
  const dialled: string[] = [];
  const told: ValidationStep[] = [];
  let connections = 0;
  const services: DeliveryServices = {
    policy: () => policy(),
    resolver: createFakeResolver(options.zone ?? singleZone),
    tls: client,
    dial: (to, port, local, timeoutMs) => {
      dialled.push(`${to} ${port}`);
      return dialTcp('127.0.0.1', ports.get(`${to} ${port}`) ?? 1, local, timeoutMs);
    },
    mailboxPath: () => '/nowhere',
    newConnectionId: () => `check-${++connections}`,
    takeInside: () => Promise.reject(new Error('validation hands nothing over inside')),
    limits: quickLimits,
    guard: {
      allow: ['192.0.2.0/24', '2001:db8::/32'],
      allowPorts: [],
      smartHostsSetBy: 'organization',
    },
    ownAddresses: () => [],
    log: {
      info: () => undefined,
      warn: () => undefined,
      error: () => undefined,
      debug: () => undefined,
    },
    now: () => Date.now(),
    steadyNow: () => performance.now(),
    random: () => 0.5,
    ...options.services,
  };
  return {
    dialled,
    told,
    partner: async (to, partnerOptions = {}) => {
      const partner = await startFakePartner(partnerOptions);
      partners.push(partner);
      for (const port of [25, 465]) ports.set(`${to} ${port}`, partner.port);
      return partner;
    },
    validate: (connector = {}, { to = ['b@partner.test'], runMs, ...task } = {}) =>
      startValidation(
        services,
        {
          id: 'run',
          policy: options.policy ?? policy(),
          organization: 'org',
          connector: toPartner(connector),
          isDraft: true,
          recipients: to.map(address),
          reversePath: null,
          asksEnvelope: true,
          message: { from: 'test@example.test', subject: 'Test', content: testContent },
          ...task,
        },
        (step) => void told.push(step),
        runMs,
      ).run,
    close: async () => {
      await Promise.all(partners.map((partner) => partner.close()));
    },
  };
}

/** `step state` of one host's steps, in order; those about no host where it is null. */
export function statesOf(run: ValidationRun, host: string | null): string[] {
  return run.steps
    .filter((step) => step.host === host)
    .map(({ step, state }) => `${step} ${state}`);
}

export function stepOf(run: ValidationRun, name: ValidationStepName): ValidationStep | undefined {
  return run.steps.find(({ step }) => step === name);
}

export function causesOf(run: ValidationRun): string[] {
  return [...new Set(run.findings.map(({ cause }) => cause))];
}
