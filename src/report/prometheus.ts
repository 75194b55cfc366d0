/**
 * The Meter on prom-client: one registry in each lane, joined by the control process when somebody
 * asks. Names, helps and labels come from the tables in `meter.ts`.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import { AggregatorRegistry, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import type { GaugeName, GaugeReading, Meter, Metric } from './meter.ts';
import { counters, gauges, histograms } from './meter.ts';

/** What one process counted, as plain data that crosses to another. */
export type CountedMetrics = readonly MetricObjectWithValues<MetricValue<string>>[];

export interface PrometheusMeter extends Meter {
  /** Everything counted so far, and the gauges as they are read now. */
  collect(readings: readonly GaugeReading[]): Promise<CountedMetrics>;
}

/** Seconds; from a hand-over inside to a message that waited a day. */
const secondsBuckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120, 900, 3600, 14_400, 86_400];

export function createPrometheusMeter(): PrometheusMeter {
  const registry = new Registry();
  const registers = [registry];
  const counterOf = mapTable(counters, ({ name, help, labels }) => {
    return new Counter<string>({ name, help, labelNames: labels, registers });
  });
  const histogramOf = mapTable(histograms, ({ name, help, labels }) => {
    const buckets = secondsBuckets;
    return new Histogram<string>({ name, help, labelNames: labels, buckets, registers });
  });
  const gaugeOf = mapTable(gauges, ({ name, help, labels, joined }) => {
    const aggregator = joined ?? 'sum';
    return new Gauge<string>({ name, help, labelNames: labels, registers, aggregator });
  });
  return {
    count: (name, labels, by = 1) => counterOf[name].inc(labels, by),
    observe: (name, labels, value) => histogramOf[name].observe(labels, value),
    collect: (readings) => {
      for (const name of Object.keys(gaugeOf) as GaugeName[]) gaugeOf[name].reset();
      for (const { name, labels, value } of readings) {
        gaugeOf[name].labels(...labels).set(value);
      }
      return registry.getMetricsAsJSON();
    },
  };
}

/** The text that Prometheus reads: sums over all processes. */
export async function formatMetrics(parts: readonly CountedMetrics[]): Promise<string> {
  const joined = AggregatorRegistry.aggregate(parts.map((part) => [...part]));
  return joined.metrics();
}

export const metricsContentType = Registry.PROMETHEUS_CONTENT_TYPE;

function mapTable<Table extends object, Made>(
  table: Table,
  make: (metric: Metric) => Made,
): { readonly [Name in keyof Table]: Made } {
  const made = Object.entries(table).map(([name, metric]) => [name, make(metric)] as const);
  return Object.fromEntries(made) as { readonly [Name in keyof Table]: Made };
}
