/** The arrows of docs/architecture.md, checked on the imports themselves. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');

/** For each room of src/, the rooms it may import. */
const rooms: Record<string, string[]> = {
  errors: [],
  host: [],
  native: ['errors', 'host'],
  numeric: ['errors', 'native'],
  bseries: ['errors', 'native', 'numeric'],
  streams: ['errors', 'native', 'numeric', 'network'],
  readout: ['errors', 'native', 'numeric', 'network'],
  membrane: ['errors', 'native', 'bseries'],
  network: ['errors', 'native', 'numeric', 'membrane'],
  encoding: ['errors', 'native'],
  sources: ['errors', 'host', 'native'],
  aggregation: ['errors', 'sources'],
  pipeline: ['errors', 'host', 'native', 'sources', 'aggregation'],
  monitor: ['errors', 'sources'],
  simulator: ['errors', 'sources'],
  processor: [
    'errors',
    'host',
    'native',
    'sources',
    'aggregation',
    'pipeline',
    'encoding',
    'membrane',
    'network',
    'bseries',
    'simulator',
  ],
  cli: ['errors', 'host', 'native', 'sources', 'aggregation', 'pipeline', 'processor', 'simulator'],
};

/** For each folder of native/, the folders it may include. */
const nativeRooms: Record<string, string[]> = {
  simd: [],
  threads: [],
  random: ['simd'],
  linalg: ['random', 'simd'],
  trees: ['simd'],
  network: ['linalg', 'random', 'simd', 'threads'],
  readout: ['network', 'linalg', 'simd'],
  transform: ['linalg', 'random', 'simd'],
  bseries: ['trees', 'linalg', 'simd'],
  addon: ['network', 'bseries', 'transform', 'readout', 'trees', 'linalg', 'random', 'simd', 'threads'],
};

interface Arrow {
  file: string;
  from: string;
  to: string;
  /** What is named inside the other room. */
  target: string;
}

function filesBelow(folder: string, ending: RegExp): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name))
    .map((name) => path.join(folder, name));
}

function arrows(folder: string, ending: RegExp, importOf: RegExp): Arrow[] {
  return filesBelow(folder, ending).flatMap((file) => {
    const [, from = ''] = file.split(path.sep);
    const text = readFileSync(path.join(root, file), 'utf8');
    return [...text.matchAll(importOf)].flatMap(([, target = '']) => {
      const resolved =
        folder === 'src'
          ? path.relative(root, path.resolve(root, path.dirname(file), target))
          : path.join(folder, target);
      const [, to = '', ...rest] = resolved.split(path.sep);
      return to === from || rest.length === 0 ? [] : [{ file, from, to, target: rest.join('/') }];
    });
  });
}

describe('the arrows', () => {
  const source = arrows('src', /\.ts$/, /from '(\.[^']+)'/g);
  const native = arrows('native', /\.(cc|h|inl)$/, /#include "([^"]+\/[^"]+)"/g).filter(({ from }) => from !== 'test');

  test('there are arrows to check', () => {
    expect(source.length).toBeGreaterThan(20);
    expect(native.length).toBeGreaterThan(20);
  });

  test('every import between rooms of src/ follows an arrow', () => {
    const wrong = source.filter(({ from, to }) => from !== 'index.ts' && !rooms[from]?.includes(to));
    expect(wrong).toEqual([]);
  });

  test('rooms of src/ are entered by their index only', () => {
    expect(source.filter(({ target }) => target !== 'index.js')).toEqual([]);
  });

  test('every include between folders of native/ follows an arrow', () => {
    expect(native.filter(({ from, to }) => !nativeRooms[from]?.includes(to))).toEqual([]);
  });

  test('only native/addon knows Node', () => {
    const napi = filesBelow('native', /\.(cc|h|inl)$/).filter((file) =>
      /napi\.h|node_api\.h/.test(readFileSync(path.join(root, file), 'utf8')),
    );
    expect(napi.filter((file) => !file.startsWith(path.join('native', 'addon')))).toEqual([]);
  });

  test('the rooms form no circle', () => {
    const seen = new Set<string>();
    const visit = (room: string, above: string[]): void => {
      expect(above, `${[...above, room].join(' -> ')}`).not.toContain(room);
      if (seen.has(room)) return;
      for (const next of rooms[room] ?? []) visit(next, [...above, room]);
      seen.add(room);
    };
    for (const room of Object.keys(rooms)) visit(room, []);
  });
});

// Node keeps a reference for each dependent signal in those it was made of, as long as they live (nodejs/node 55351, 64476): a
// monitor of one engine leaked one with every observation. withTimeLimit leaves nothing.
test('no signal is made of a signal that may live long', () => {
  const naming = filesBelow('src', /\.ts$/).filter((file) =>
    readFileSync(path.join(root, file), 'utf8').includes('AbortSignal.any('),
  );
  expect(naming).toEqual([]);
});
