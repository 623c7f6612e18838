import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findModelFolder, givenModelFolder, isHubId } from '../../../src/sources/model/model-folder.js';

const commit = 'a'.repeat(40);
let home = '';
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'dtesn-hub-'));
});
afterEach(() => rm(home, { recursive: true }));

async function cached(hub: string, id: string, commits: string[], main?: string) {
  const model = path.join(hub, `models--${id.replace('/', '--')}`);
  for (const name of commits) await mkdir(path.join(model, 'snapshots', name), { recursive: true });
  if (main === undefined) return model;
  await mkdir(path.join(model, 'refs'), { recursive: true });
  await writeFile(path.join(model, 'refs', 'main'), main);
  return model;
}

describe('a hub id', () => {
  test('leads to the snapshot that refs/main names', async () => {
    const model = await cached(home, 'org/name-1.5', ['b'.repeat(40), commit], `${commit}\n`);
    expect(await findModelFolder('org/name-1.5', { HF_HUB_CACHE: home })).toEqual({
      kind: 'folder',
      path: path.join(model, 'snapshots', commit),
      hubId: 'org/name-1.5',
    });
  });

  test('leads to the only snapshot where refs/main is absent, and nowhere where there are two', async () => {
    const model = await cached(home, 'gpt2', [commit]);
    expect((await findModelFolder('gpt2', { HF_HUB_CACHE: home }))?.path).toBe(path.join(model, 'snapshots', commit));
    await cached(home, 'gpt2', ['b'.repeat(40)]);
    expect(await findModelFolder('gpt2', { HF_HUB_CACHE: home })).toBeNull();
  });

  test.each(['../../..', '/etc', 'not a commit', '', 'c'.repeat(40), 'a'.repeat(500)])(
    'whose refs/main says %j leads nowhere',
    async (main) => {
      await cached(home, 'org/name', [commit], main);
      expect(await findModelFolder('org/name', { HF_HUB_CACHE: home })).toBeNull();
    },
  );

  test('is looked for in the cache that the environment names, the nearest first', async () => {
    const environment: Record<string, string> = { XDG_CACHE_HOME: path.join(home, 'x') };
    const found = async () =>
      (await findModelFolder('o/n', environment))?.path.slice(home.length + 1).split(path.sep)[0];
    expect(await found()).toBeUndefined();
    await cached(path.join(home, 'x', 'huggingface', 'hub'), 'o/n', [commit]);
    expect(await found()).toBe('x');
    environment['HF_HOME'] = path.join(home, 'h');
    await cached(path.join(home, 'h', 'hub'), 'o/n', [commit]);
    expect(await found()).toBe('h');
    environment['HF_HUB_CACHE'] = path.join(home, 'c');
    await cached(path.join(home, 'c'), 'o/n', [commit]);
    expect(await found()).toBe('c');
  });

  test.each([
    '../name',
    'org/..',
    'org/../name',
    'a/b/c',
    'a\\b',
    '.hidden/x',
    'org/',
    '',
    'a b',
    '~/m',
    'x'.repeat(201),
  ])('is not %j', async (root) => {
    expect(isHubId(root)).toBe(false);
    expect(await findModelFolder(root, { HF_HUB_CACHE: home })).toBeNull();
  });
});

describe('an absolute path', () => {
  test('is taken when it is a folder or a GGUF file here', async () => {
    const file = path.join(home, 'model.Q4.gguf');
    await writeFile(file, 'GGUF');
    expect(await findModelFolder(home)).toEqual({ kind: 'folder', path: home, hubId: null });
    expect(await findModelFolder(file)).toEqual({ kind: 'gguf', path: file, hubId: null });
  });

  test('of a host elsewhere, of another file or with a NUL is none', async () => {
    await writeFile(path.join(home, 'config.json'), '{}');
    await mkdir(path.join(home, 'folder.gguf'));
    for (const name of ['absent', 'config.json', 'folder.gguf', 'a\0b']) {
      expect(await findModelFolder(path.join(home, name)), name).toBeNull();
    }
  });

  test('inside a cache says which model it is; a link to it does not', async () => {
    const model = await cached(home, 'org/name', [commit]);
    const link = path.join(home, 'link');
    await symlink(path.join(model, 'snapshots', commit), link);
    expect((await findModelFolder(path.join(model, 'snapshots', commit)))?.hubId).toBe('org/name');
    expect((await findModelFolder(link))?.hubId).toBeNull();
  });
});

test('a given path is taken as it is', () => {
  expect(givenModelFolder('models/x')).toEqual({ kind: 'folder', path: 'models/x', hubId: null });
  expect(givenModelFolder('X.GGUF')).toEqual({ kind: 'gguf', path: 'X.GGUF', hubId: null });
  expect(givenModelFolder('/c/models--o--n--m/snapshots/1').hubId).toBe('o/n--m');
});
