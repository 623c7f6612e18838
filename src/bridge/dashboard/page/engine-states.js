/** States of an engine as the page shows them: a tone for the colour and the mark, and whether an operator should look. */

const tones = {
  ready: 'good',
  busy: 'good',
  saturated: 'warn',
  loading: 'warn',
  restarting: 'warn',
  scaling: 'warn',
  frozen: 'warn',
  sleeping: 'idle',
  unknown: 'idle',
  hung: 'bad',
  dead: 'bad',
  unauthorised: 'bad',
};

export const toneOf = ({ state }) => tones[state.name] ?? 'idle';

const attention = { bad: 0, warn: 1 };

/** Those that do not serve, then those to look at, then the others, each in their order. */
export function byAttention(engines) {
  const rank = (engine) => attention[toneOf(engine)] ?? 2;
  return engines.toSorted((one, other) => rank(one) - rank(other));
}

/** One sentence about all engines, and its tone. */
export function verdictOf(engines) {
  if (engines.length === 0) return { tone: 'idle', text: 'No engine is known yet' };
  const bad = engines.filter((engine) => toneOf(engine) === 'bad');
  const warn = engines.filter((engine) => toneOf(engine) === 'warn');
  const worst = bad.length > 0 ? bad : warn;
  if (worst.length > 0) {
    const named = worst.slice(0, 3).map(({ name, state }) => `${name} is ${state.name}`);
    const more = worst.length > 3 ? ` and ${worst.length - 3} more` : '';
    return { tone: bad.length > 0 ? 'bad' : 'warn', text: `${named.join(', ')}${more}` };
  }
  const idle = engines.filter((engine) => toneOf(engine) === 'idle');
  if (idle.length > 0) return { tone: 'idle', text: `${idle[0].name} is ${idle[0].state.name}` };
  return { tone: 'good', text: engines.length === 1 ? 'The engine answers' : `All ${engines.length} engines answer` };
}
