/**
 * How long it takes until a change of one connector is in force on every lane, with few and with many
 * connectors beside it: from the request over the API to its answer, which comes when it is in force.
 *
 *     node benchmarks/policy-change.ts [--few 10] [--many 5000] [--changes 11]
 */
import { parseArgs } from 'node:util';
import type { ChangesOrderInput } from '../src/api/contract/policy-objects.ts';
import { startGateway } from '../test/support/gateway.ts';
import type { RunningGateway } from '../test/support/gateway.ts';
import { gatewaySetup } from '../test/support/gateway-config.ts';

const { values } = parseArgs({
  options: {
    few: { type: 'string', default: '10' },
    many: { type: 'string', default: '5000' },
    changes: { type: 'string', default: '11' },
  },
});

type Change = ChangesOrderInput['changes'][number];

function put(i: number, comment: string): Change {
  const object = { kind: 'outbound-connector', organization: 'example', name: `out-${i}` } as const;
  const recipientDomains = [`p${i}.test`, `*.w${i}.test`];
  const value = { recipientDomains, tlsSettings: 'EncryptionOnly', comment };
  return { kind: 'put', object, value };
}

async function makeConnectors(gateway: RunningGateway, count: number): Promise<void> {
  for (let from = 0; from < count; from += 500) {
    const numbers = Array.from({ length: Math.min(500, count - from) }, (_, i) => from + i);
    await gateway.api.changePolicy({ changes: numbers.map((i) => put(i, 'as made')) });
  }
}

async function measure(count: number): Promise<number> {
  const gateway = await startGateway(await gatewaySetup({}));
  try {
    await makeConnectors(gateway, count);
    const times: number[] = [];
    for (let i = 0; i < Number(values.changes); i++) {
      const startedAtMs = performance.now();
      await gateway.api.changePolicy({ changes: [put(i % count, `changed ${i}`)] });
      times.push(performance.now() - startedAtMs);
    }
    times.sort((a, b) => a - b);
    const [least, median, most] = [times[0]!, times[times.length >> 1]!, times.at(-1)!];
    const shown = [least, median, most].map((time) => `${time.toFixed(0)} ms`);
    console.log(`${count} connectors: least ${shown[0]}, median ${shown[1]}, most ${shown[2]}`);
    return median;
  } finally {
    await gateway.remove();
  }
}

const few = await measure(Number(values.few));
const many = await measure(Number(values.many));
console.log(`many to few: ${(many / few).toFixed(1)}`);
