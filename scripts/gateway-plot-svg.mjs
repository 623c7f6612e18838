/** The picture of scripts/gateway-plot.mjs: two panels over time, windows of STEP seconds, as SVG with a few hundred bytes a line. */
const STEP = 5;
const WIDTH = 760;
const PANEL = { left: 56, width: 690, height: 150 };
const colours = { before: '#c2410c', after: '#0f766e' };
const words = { before: 'engines in turn', after: 'with the bridge' };

export function plot({ before, after, seconds, sloMs }) {
  const x = (at) => PANEL.left + (PANEL.width * at) / seconds;
  const most = Math.max(2 * sloMs, ...[before, after].flat().map(({ ttftMs }) => ttftMs ?? 0));
  const [low, high] = [Math.log10(50), Math.log10(most)];
  const y = (ms) => 40 + PANEL.height * (1 - (Math.log10(Math.max(50, ms)) - low) / (high - low));
  const share = (part) => 260 + PANEL.height * (1 - part);
  const line = (points, style) => {
    const path = points.map(([px, py], i) => `${i === 0 ? 'M' : 'L'}${px.toFixed(1)} ${py.toFixed(1)}`).join('');
    return `<path d="${path}" fill="none" ${style}/>`;
  };
  const parts = Object.entries({ before, after }).flatMap(([name, seen]) => {
    const windows = windowsOf(seen, seconds);
    const stroke = `stroke="${colours[name]}" stroke-width="2"`;
    const at = ({ from }) => x(from + STEP / 2);
    const served = windows.filter(({ sorted }) => sorted.length > 0);
    return [
      line(
        served.map((one) => [at(one), y(quantile(one.sorted, 0.5))]),
        stroke,
      ),
      line(
        served.map((one) => [at(one), y(quantile(one.sorted, 0.95))]),
        `${stroke} stroke-dasharray="5 4"`,
      ),
      line(
        windows.map((one) => [at(one), share(one.sorted.filter((ms) => ms <= sloMs).length / one.count)]),
        stroke,
      ),
    ];
  });
  const text = (px, py, words, more = '') => `<text x="${px}" y="${py}" ${more}>${words}</text>`;
  const rule = (py, more = 'stroke="#ddd"') => `<path d="M${PANEL.left} ${py.toFixed(1)}h${PANEL.width}" ${more}/>`;
  const ticks = [100, 300, 1000, 3000, 10_000, 30_000].filter((ms) => ms < most);
  const shares = [0, 0.5, 1];
  const times = Array.from({ length: Math.floor(seconds / 20) + 1 }, (_, i) => 20 * i);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} 450" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="450" fill="#fff"/>`,
    text(PANEL.left, 22, 'Time to first token of served requests: median, and 95th percentile dashed'),
    ...ticks.flatMap((ms) => [
      rule(y(ms)),
      text(50, (y(ms) + 4).toFixed(1), label(ms), 'text-anchor="end" fill="#666"'),
    ]),
    rule(y(sloMs), 'stroke="#444" stroke-dasharray="2 3"'),
    text(PANEL.left + 4, (y(sloMs) - 4).toFixed(1), `objective ${label(sloMs)}`, 'fill="#444"'),
    text(PANEL.left, 246, 'Share of all requests within the objective'),
    ...shares.flatMap((one) => [
      rule(share(one)),
      text(50, share(one) + 4, `${100 * one} %`, 'text-anchor="end" fill="#666"'),
    ]),
    ...times.map((at) => text(x(at).toFixed(1), 428, `${at} s`, 'text-anchor="middle" fill="#666"')),
    ...parts,
    ...Object.keys(colours).map((name, i) => text(470 + 130 * i, 246, `■ ${words[name]}`, `fill="${colours[name]}"`)),
    '</svg>\n',
  ].join('\n');
}

function windowsOf(seen, seconds) {
  return Array.from({ length: Math.ceil(seconds / STEP) }, (_, i) => {
    const own = seen.filter(({ at }) => Math.floor(at / STEP) === i);
    const sorted = own.flatMap(({ ttftMs }) => (ttftMs === null ? [] : [ttftMs])).sort((a, b) => a - b);
    return { from: STEP * i, count: own.length, sorted };
  }).filter(({ count }) => count > 0);
}

function quantile(sorted, q) {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

function label(ms) {
  return ms < 1000 ? `${ms} ms` : `${ms / 1000} s`;
}
