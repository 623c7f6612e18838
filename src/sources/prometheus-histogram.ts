/**
 * The laws of a histogram, checked for each set of labels:
 *
 *     the counts of the buckets do not decrease with le;  the bucket le="+Inf" equals _count, where both are there
 *
 * A body that breaks one is torn or mixed from two scrapes. Errors: DtesnError ERR_DTESN_METRICS.
 */
import { DtesnError } from '../errors/index.js';
import type { MetricFamily, Sample } from './metric-families.js';

interface Series {
  buckets: { le: number; count: number }[];
  count: number | null;
}

export function checkHistogram(family: MetricFamily): void {
  const series = new Map<string, Series>();
  for (const sample of family.samples) {
    const part = sample.name.slice(family.name.length);
    if (part === '_bucket') at(series, sample).buckets.push({ le: bound(family, sample), count: sample.value });
    if (part === '_count') at(series, sample).count = sample.value;
  }
  for (const [labels, { buckets, count }] of series) checkSeries(`${family.name}{${labels}}`, buckets, count);
}

function checkSeries(name: string, buckets: Series['buckets'], count: number | null): void {
  buckets.sort((a, b) => a.le - b.le);
  let below = 0;
  for (const bucket of buckets) {
    // Written so that NaN fails too.
    if (!(bucket.count >= below))
      throw fault(`the bucket le=${bucket.le} of ${name} has ${bucket.count} after ${below}`);
    below = bucket.count;
  }
  const total = buckets.at(-1);
  if (total?.le === Number.POSITIVE_INFINITY && count !== null && total.count !== count) {
    throw fault(`${name} counts ${count} but its bucket le=+Inf has ${total.count}`);
  }
}

function bound(family: MetricFamily, sample: Sample): number {
  const le = sample.labels['le'];
  const number = le === undefined || le === '' ? Number.NaN : Number(le.replace(/^\+?Inf$/, 'Infinity'));
  if (Number.isNaN(number)) throw fault(`a bucket of ${family.name} has no numeric label le`);
  return number;
}

/** The series of a sample: its labels but le. */
function at(series: Map<string, Series>, { labels }: Sample): Series {
  let key = '';
  for (const label in labels) if (label !== 'le') key += `${label}=${JSON.stringify(labels[label])},`;
  let found = series.get(key);
  if (found === undefined) {
    found = { buckets: [], count: null };
    series.set(key, found);
  }
  return found;
}

function fault(why: string): DtesnError {
  return new DtesnError('ERR_DTESN_METRICS', `The metrics are inconsistent: ${why}`);
}
