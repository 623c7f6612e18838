/** The strip on top: whether the bridge answers, one sentence about the engines, and the figures of all engines together. */
import { byId, element, KeyedChildren, setAttribute, setText, showChip } from './elements.js';
import { verdictOf } from './engine-states.js';
import { clock, count, percent, span } from './format.js';

export class HeaderView {
  #connection = { root: byId('connection'), word: byId('connection').lastElementChild };
  #totals = new KeyedChildren(byId('totals'), makeTotal, showTotal);

  /** `link`: { state, sinceMs, lastAnswerMs }; `bridgeMs`: the wall time of the bridge. */
  show(link, engines, status, bridgeMs) {
    const { tone, text } = connectionOf(link);
    showChip(this.#connection, tone, text);
    const verdict = link.state === 'live' ? verdictOf(engines) : { tone, text: verdictWithout(link) };
    setText(byId('verdict'), verdict.text);
    setAttribute(byId('verdict'), 'data-tone', verdict.tone);
    const title = verdict.tone === 'good' ? 'dtesn bridge' : `${verdict.text} · dtesn bridge`;
    if (document.title !== title) document.title = title;
    this.#totals.show(totalsOf(engines, status, bridgeMs), ({ name }) => name);
  }
}

function connectionOf({ state, sinceMs, lastAnswerMs }) {
  const now = Date.now();
  if (state === 'connecting') return { tone: 'idle', text: 'connecting' };
  if (state === 'unauthorised') return { tone: 'warn', text: 'a token is needed' };
  if (state === 'unreachable') return { tone: 'bad', text: `unreachable for ${span((now - sinceMs) / 1000)}` };
  const age = (now - lastAnswerMs) / 1000;
  return age > 3 ? { tone: 'warn', text: `stale: read ${span(age)} ago` } : { tone: 'good', text: 'live' };
}

function verdictWithout({ state, sinceMs, lastAnswerMs }) {
  if (state === 'connecting') return 'Connecting';
  if (state === 'unauthorised') return 'Log in to see the engines';
  const shown = lastAnswerMs === 0 ? 'nothing was read yet' : `what is shown is of ${clock(lastAnswerMs)}`;
  return `The bridge does not answer since ${clock(sinceMs)}; ${shown}`;
}

function totalsOf(engines, status, bridgeMs) {
  const sum = (figure) => {
    const known = engines.map(figure).filter((value) => typeof value === 'number');
    return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
  };
  const kv = engines.map(({ figures }) => figures?.kvUsageMax).filter((value) => typeof value === 'number');
  return [
    { name: 'Engines', text: count(engines.length) },
    { name: 'Running', text: count(sum(({ figures }) => figures?.running)) },
    { name: 'Waiting', text: count(sum(({ figures }) => figures?.waiting)) },
    { name: 'Fullest KV', text: percent(kv.length === 0 ? null : Math.max(...kv)) },
    { name: 'Generated tokens/s', text: count(sum(({ rates }) => rates?.generationTokensPerSecond)) },
    { name: 'Sessions', text: count(status?.sessions?.count) },
    { name: 'Up for', text: span((bridgeMs - Date.parse(status?.startedAt)) / 1000) },
  ];
}

function makeTotal() {
  const name = element('dt');
  const value = element('dd', { class: 'mono' });
  return { root: element('div', {}, name, value), name, value };
}

function showTotal({ name, value }, total) {
  setText(name, total.name);
  setText(value, total.text);
}
