/** Numbers, durations and times as the page writes them. What is not known is a dash. */

export const unknown = '–';

const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);

/** 0, 8, 1.4, 812, 12.3k, 4.1M */
export function count(value) {
  if (!isNumber(value)) return unknown;
  const size = Math.abs(value);
  if (size >= 1e9) return `${(value / 1e9).toFixed(1)}G`;
  if (size >= 1e6) return `${(value / 1e6).toFixed(1)}M`;
  if (size >= 1e4) return `${(value / 1e3).toFixed(1)}k`;
  if (Number.isInteger(value) || size >= 100) return String(Math.round(value));
  return size >= 0.1 ? value.toFixed(1) : value.toPrecision(2);
}

export function percent(share) {
  return isNumber(share) ? `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %` : unknown;
}

export function bytes(value) {
  if (!isNumber(value)) return unknown;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = value;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${size.toFixed(unit > 0 && size < 100 ? 1 : 0)} ${units[unit]}`;
}

/** A latency: 820 µs, 31 ms, 1.24 s */
export function latency(seconds) {
  if (!isNumber(seconds)) return unknown;
  if (seconds === 0) return '0 ms';
  if (seconds < 0.001) return `${Math.round(1e6 * seconds)} µs`;
  if (seconds < 1) return `${(1000 * seconds).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
  return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
}

/** How old figures are: 0.4 s, then as a span. */
export const age = (seconds) => (isNumber(seconds) && seconds < 10 ? `${seconds.toFixed(1)} s` : span(seconds));

/** A span: 4 s, 12 min 3 s, 5 h 12 min, 3 d 4 h */
export function span(seconds) {
  if (!isNumber(seconds)) return unknown;
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
}

const clockFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dateFormat = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

/** 14:03:07, by milliseconds since 1970. */
export const clock = (ms) => (isNumber(ms) ? clockFormat.format(ms) : unknown);
/** 14:03 */
export const minute = (ms) => clock(ms).slice(0, 5);
/** 29 Nov 2026, 14:03:07 */
export const date = (ms) => (isNumber(ms) ? dateFormat.format(ms) : unknown);

/** 'rowsPerSecond' -> 'Rows per second' */
export function words(name) {
  const spaced = name
    .replace(/_/g, ' ')
    .replace(/([a-z0-9])([A-Z])/g, (_, before, after) => `${before} ${after.toLowerCase()}`);
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** A figure by the unit in its name. */
export function byName(name, value) {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (!isNumber(value)) return value === null || value === undefined ? unknown : String(value);
  if (/bytes$/i.test(name)) return bytes(value);
  if (/bytesPerSecond$/i.test(name)) return `${bytes(value)}/s`;
  if (/PerSecond$/.test(name)) return `${count(value)}/s`;
  if (/Seconds$/.test(name)) return latency(value);
  if (/Ms$/.test(name)) return latency(value / 1000);
  if (/(share|ratio|usage)$/i.test(name)) return percent(value);
  return count(value);
}
