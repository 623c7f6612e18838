/** The arrows of docs/architecture.md, checked on the imports themselves, static and dynamic. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');

/** For each room of src/, the rooms it may import. */
const rooms: Record<string, string[]> = {
  errors: [],
  host: ['errors', 'abort'],
  abort: [],
  native: ['errors', 'host'],
  random: [],
  numeric: ['errors', 'native'],
  initializers: ['errors', 'numeric', 'random'],
  datasets: ['errors', 'numeric', 'random'],
  trees: ['errors', 'native'],
  bseries: ['errors', 'native', 'numeric', 'trees'],
  network: ['errors', 'native', 'numeric', 'trees', 'initializers'],
  streams: ['errors', 'native', 'numeric', 'network'],
  readout: ['errors', 'native', 'numeric', 'network'],
  esn: ['errors', 'native', 'numeric', 'network', 'readout'],
  transform: ['errors', 'native'],
  encoding: ['errors', 'host', 'native'],
  engine: ['errors', 'abort'],
  search: ['errors', 'abort', 'random', 'native', 'numeric', 'datasets', 'network', 'readout', 'esn'],
  plots: ['errors', 'host', 'numeric', 'scores'],
  scores: ['errors', 'native', 'numeric', 'random', 'network', 'readout'],
  sources: ['errors', 'host', 'abort', 'engine'],
  aggregation: ['errors', 'abort', 'engine', 'sources'],
  pipeline: ['errors', 'abort', 'host', 'sources', 'aggregation', 'transform'],
  monitor: ['errors', 'abort', 'engine'],
  simulator: ['errors', 'abort', 'engine'],
  outlook: ['errors', 'abort', 'engine', 'monitor', 'simulator'],
  learning: ['errors', 'network', 'readout', 'scores'],
  processor: [
    'errors',
    'host',
    'abort',
    'native',
    'engine',
    'sources',
    'aggregation',
    'transform',
    'pipeline',
    'encoding',
    'trees',
    'network',
    'esn',
    'simulator',
  ],
  bridge: [
    'errors',
    'abort',
    'host',
    'native',
    'numeric',
    'network',
    'readout',
    'esn',
    'streams',
    'encoding',
    'engine',
    'sources',
    'pipeline',
    'monitor',
    'outlook',
    'simulator',
    'processor',
  ],
  'entry-points': ['errors', 'host', 'abort', 'engine', 'sources', 'monitor', 'outlook', 'simulator'],
  cli: [
    'errors',
    'host',
    'native',
    'network',
    'engine',
    'monitor',
    'pipeline',
    'plots',
    'processor',
    'simulator',
    'outlook',
    'learning',
    'numeric',
    'datasets',
    'esn',
    'search',
    'scores',
    'bridge',
  ],
};

/** For each folder of native/, the folders it may include. */
const nativeRooms: Record<string, string[]> = {
  simd: [],
  threads: [],
  host: [],
  text: [],
  random: ['simd'],
  linalg: ['random', 'simd'],
  trees: ['simd'],
  network: ['bseries', 'linalg', 'random', 'simd', 'threads', 'trees'],
  readout: ['network', 'linalg', 'simd'],
  transform: ['linalg', 'random', 'simd'],
  bseries: ['trees', 'linalg', 'simd'],
  addon: ['network', 'bseries', 'transform', 'readout', 'trees', 'linalg', 'random', 'simd', 'threads', 'host', 'text'],
};

/** A file of src/ or native/, and one that it names. */
interface Arrow {
  file: string;
  target: string;
  /** Only types are named, so that nothing is loaded. */
  types?: boolean;
}

function filesBelow(folder: string, ending: RegExp): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name))
    .map((name) => path.join(folder, name));
}

/** `import type { ... } from './x.js'`, `from './x.js'`, `import './x.js'`, `import('./x.js')` and `new URL('./x.js', ...)`. */
const importOf = /(?:\bimport (type) \{[^}]*\} from|\bfrom|\bimport|\bimport\(|\bnew URL\()\s*'(\.[^']+)'/g;

function sourceArrows(): Arrow[] {
  return filesBelow('src', /\.ts$/).flatMap((file) =>
    [...readFileSync(path.join(root, file), 'utf8').matchAll(importOf)].map(([, types, target = '']) => ({
      file,
      types: types !== undefined,
      target: path.join(path.dirname(file), target).replace(/\.js$/, '.ts'),
    })),
  );
}

function nativeArrows(): Arrow[] {
  return filesBelow('native', /\.(cc|h|inl)$/).flatMap((file) =>
    [...readFileSync(path.join(root, file), 'utf8').matchAll(/#include "([^"]+\/[^"]+)"/g)].map(([, target = '']) => ({
      file,
      target: path.join('native', target),
    })),
  );
}

const roomOf = (file: string): string => file.split(path.sep)[1] ?? '';

/** Folders that hold `target` and not `file`, the outermost first: each is entered by its index.ts. */
function entered({ file, target }: Arrow): string[] {
  const parts = path.dirname(target).split(path.sep);
  return parts
    .map((_, depth) => parts.slice(0, depth + 1).join(path.sep))
    .filter((folder) => !file.startsWith(folder + path.sep));
}

/**
 * What stands in the graph for a file, seen from a folder that holds it: the file itself where it lies in that folder, else
 * the folder below on the way to it.
 */
function seenFrom(folder: string, file: string): string {
  const [first = '', ...rest] = path.relative(folder, file).split(path.sep);
  return rest.length === 0 ? first : `${first}/`;
}

/** A way through the arrows that comes back to where it began, or undefined. */
function circle(graph: Map<string, Set<string>>): string[] | undefined {
  const done = new Set<string>();
  const visit = (node: string, above: string[]): string[] | undefined => {
    if (above.includes(node)) return [...above.slice(above.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const found = visit(next, [...above, node]);
      if (found) return found;
    }
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const found = visit(node, []);
    if (found) return found;
  }
  return undefined;
}

/** The graph of what lies directly in a folder. Two files of it may name each other's types; two folders may not. */
function graphOf(folder: string, arrows: Arrow[]): Map<string, Set<string>> {
  const graph = new Map<string, Set<string>>();
  const inside = (file: string) => file.startsWith(folder + path.sep);
  for (const { file, target, types } of arrows.filter((arrow) => inside(arrow.file) && inside(arrow.target))) {
    const from = seenFrom(folder, file);
    const to = seenFrom(folder, target);
    const typesOfFile = types && !from.endsWith('/') && !to.endsWith('/');
    if (from !== to && !typesOfFile) graph.set(from, (graph.get(from) ?? new Set()).add(to));
  }
  return graph;
}

describe('the arrows', () => {
  const source = sourceArrows();
  const native = nativeArrows().filter(({ file }) => roomOf(file) !== 'test');

  test('each import of src/ names a file that is there', () => {
    const files = new Set(filesBelow('src', /\.ts$/));
    expect(source.length).toBeGreaterThan(500);
    // A folder of assets is no module.
    const isFolder = (target: string) => {
      const at = path.join(root, target);
      return target.endsWith(path.sep) && existsSync(at) && statSync(at).isDirectory();
    };
    expect(source.filter(({ target }) => !files.has(target) && !isFolder(target))).toEqual([]);
  });

  test('every import between rooms of src/ follows an arrow', () => {
    const wrong = source.filter(({ file, target }) => {
      const [from, to] = [roomOf(file), roomOf(target)];
      return from !== to && from !== 'index.ts' && !rooms[from]?.includes(to);
    });
    expect(wrong).toEqual([]);
  });

  test('the table of rooms names no arrow that no import needs', () => {
    const used = new Set(source.map(({ file, target }) => `${roomOf(file)} -> ${roomOf(target)}`));
    const named = Object.entries(rooms).flatMap(([from, to]) => to.map((room) => `${from} -> ${room}`));
    expect(named.filter((arrow) => !used.has(arrow))).toEqual([]);
  });

  test('each folder of src/, also one inside a room, is entered by its index.ts only', () => {
    const deep = source.filter((arrow) => {
      const [outermost] = entered(arrow);
      return outermost !== undefined && arrow.target !== path.join(outermost, 'index.ts');
    });
    expect(deep.filter(({ target }) => !target.startsWith(path.join('src', 'entry-points')))).toEqual([]);
  });

  test('the imports of src/ form no circle, neither between rooms nor inside one', () => {
    const folders = new Set(filesBelow('src', /\.ts$/).map((file) => path.dirname(file)));
    const circles = [...folders].map((folder) =>
      circle(graphOf(folder, source))?.map((node) => path.join(folder, node)),
    );
    expect(circles.filter((found) => found !== undefined)).toEqual([]);
  });

  test('every include between folders of native/ follows an arrow', () => {
    const wrong = native.filter(({ file, target }) => {
      const [from, to] = [roomOf(file), roomOf(target)];
      return from !== to && !nativeRooms[from]?.includes(to);
    });
    expect(native.length).toBeGreaterThan(20);
    expect(wrong).toEqual([]);
  });

  test('only native/addon knows Node', () => {
    const napi = filesBelow('native', /\.(cc|h|inl)$/).filter((file) =>
      /napi\.h|node_api\.h/.test(readFileSync(path.join(root, file), 'utf8')),
    );
    expect(napi.filter((file) => !file.startsWith(path.join('native', 'addon')))).toEqual([]);
  });

  test.each(['engine', 'simulator'])(
    'nothing that dtesn/%s imports, in any number of steps, loads the addon',
    (name) => {
      const reached = new Set<string>();
      const visit = (file: string): void => {
        if (reached.has(file)) return;
        reached.add(file);
        for (const { target } of source.filter((arrow) => arrow.file === file)) visit(target);
      };
      visit(path.join('src', 'entry-points', `${name}.ts`));
      expect(reached.size).toBeGreaterThan(20);
      expect([...reached].filter((file) => roomOf(file) === 'native')).toEqual([]);
    },
  );
});

// Replays and tests run on a clock of their own (src/abort/clock.ts), so nothing beside it reads the time or waits. Not of this
// rule: the simulator has a virtual clock, and the command line talks to a person.
test('time is read and waited for in src/abort/clock.ts only', () => {
  const exceptions = new Map([
    [path.join('src', 'abort', 'clock.ts'), 'the system clock itself'],
    [path.join('src', 'bridge', 'probes', 'probe-worker.ts'), 'a thread that no clock reaches'],
    [path.join('src', 'encoding', 'tokenizer-thread.ts'), 'the limit of a thread, which Atomics.wait measures too'],
    [path.join('src', 'native', 'long-run.ts'), 'how often progress of native work is looked at'],
  ]);
  const time =
    /\bperformance\.now\b|\bDate\.now\b|\bnew Date\(\)|\bset(Timeout|Interval)\b|timers\/promises|\bhrtime\b/;
  const reading = filesBelow('src', /\.ts$/).filter((file) => {
    if (['simulator', 'cli'].includes(roomOf(file))) return false;
    const code = readFileSync(path.join(root, file), 'utf8').replace(
      "{ setImmediate } from 'node:timers/promises'",
      '',
    );
    return time.test(code);
  });
  expect(reading.sort()).toEqual([...exceptions.keys()].sort());
});

// Node keeps a reference for each dependent signal in those it was made of, as long as they live (nodejs/node 55351, 64476): a
// monitor of one engine leaked one with every observation. withTimeLimit leaves nothing.
test('no signal is made of a signal that may live long', () => {
  const naming = filesBelow('src', /\.ts$/).filter((file) =>
    readFileSync(path.join(root, file), 'utf8').includes('AbortSignal.any('),
  );
  expect(naming).toEqual([]);
});

// An object of another copy of the package is no instance of this one's class: errors/brand.ts.
test('instanceof is asked of built-in classes only', () => {
  const builtIn = /^(Error|SyntaxError|Promise|Map|URL|AbortSignal|SharedArrayBuffer|(Float32|Float64|Uint8)Array)$/;
  const asked = filesBelow('src', /\.ts$/).flatMap((file) => {
    const code = readFileSync(path.join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    return [...code.matchAll(/\binstanceof[ (]+(\w+)/g)].map(([, name = '']) => ({ file, name }));
  });
  expect(asked.length).toBeGreaterThan(20);
  expect(asked.filter(({ name }) => !builtIn.test(name))).toEqual([]);
});
