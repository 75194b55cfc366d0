import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counters, gauges, histograms } from './meter.ts';
import { createPrometheusMeter, formatMetrics } from './prometheus.ts';

async function textOf(...meters: ReturnType<typeof createPrometheusMeter>[]): Promise<string> {
  return formatMetrics(await Promise.all(meters.map((meter) => meter.collect([]))));
}

test('counts of several processes are summed, label by label', async () => {
  const [one, two] = [createPrometheusMeter(), createPrometheusMeter()];
  one.count('mailRefused', { listener: 'mx', code: '550' });
  one.count('mailRefused', { listener: 'mx', code: '454' }, 2);
  two.count('mailRefused', { listener: 'mx', code: '550' }, 4);
  const text = await textOf(one, two);
  assert.match(text, /^postern_mail_refused_total\{listener="mx",code="550"\} 5$/m);
  assert.match(text, /^postern_mail_refused_total\{listener="mx",code="454"\} 2$/m);
});

test('gauges are what is read now, joined as the table says', async () => {
  const [one, two] = [createPrometheusMeter(), createPrometheusMeter()];
  await one.collect([{ name: 'queueDeliveries', labels: ['held'], value: 70 }]);
  const parts = await Promise.all([
    one.collect([
      { name: 'queueDeliveries', labels: ['queued'], value: 3 },
      { name: 'queueOldestSeconds', labels: [], value: 40 },
    ]),
    two.collect([
      { name: 'queueDeliveries', labels: ['queued'], value: 4 },
      { name: 'queueOldestSeconds', labels: [], value: 90 },
    ]),
  ]);
  const text = await formatMetrics(parts);
  assert.match(text, /^postern_queue_deliveries\{state="queued"\} 7$/m);
  assert.match(text, /^postern_queue_oldest_seconds 90$/m);
  assert.doesNotMatch(text, /state="held"/);
});

test('durations are histograms', async () => {
  const meter = createPrometheusMeter();
  meter.observe('deliverySeconds', { destination: 'mx' }, 0.04);
  const text = await textOf(meter);
  assert.match(text, /^postern_delivery_seconds_bucket\{le="0.01",destination="mx"\} 0$/m);
  assert.match(text, /^postern_delivery_seconds_bucket\{le="0.05",destination="mx"\} 1$/m);
  assert.match(text, /^postern_delivery_seconds_count\{destination="mx"\} 1$/m);
});

test('names follow the rules of Prometheus, and each is there once', () => {
  const all = [counters, histograms, gauges].flatMap((table) => Object.values(table));
  for (const { name, help } of all) {
    assert.match(name, /^postern_[a-z_]+$/);
    assert.match(help, /\.$/);
  }
  for (const { name } of Object.values(counters)) assert.match(name, /_total$/);
  assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
});
