import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findModelFolder, givenModelFolder, isHubId } from '../../../src/engine/model-files/model-folder.js';

const commit = 'a'.repeat(40);
const hub = { hubCache: true };
let home = '';
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'dtesn-hub-'));
});
afterEach(() => rm(home, { recursive: true }));

async function cached(cache: string, id: string, commits: string[], main?: string) {
  const model = path.join(cache, `models--${id.replace('/', '--')}`);
  for (const name of commits) await mkdir(path.join(model, 'snapshots', name), { recursive: true });
  if (main === undefined) return model;
  await mkdir(path.join(model, 'refs'), { recursive: true });
  await writeFile(path.join(model, 'refs', 'main'), main);
  return model;
}

describe('a hub id', () => {
  test('a hub id leads to the snapshot that refs/main names', async () => {
    const model = await cached(home, 'org/name-1.5', ['b'.repeat(40), commit], `${commit}\n`);
    expect(await findModelFolder('org/name-1.5', hub, { HF_HUB_CACHE: home })).toEqual({
      kind: 'folder',
      path: path.join(model, 'snapshots', commit),
      hubId: 'org/name-1.5',
    });
  });

  test('a hub id without refs/main leads to the only snapshot, and to none when there are two', async () => {
    const model = await cached(home, 'gpt2', [commit]);
    expect((await findModelFolder('gpt2', hub, { HF_HUB_CACHE: home }))?.path).toBe(
      path.join(model, 'snapshots', commit),
    );
    await cached(home, 'gpt2', ['b'.repeat(40)]);
    expect(await findModelFolder('gpt2', hub, { HF_HUB_CACHE: home })).toBeNull();
  });

  test.each(['../../..', '/etc', 'not a commit', '', 'c'.repeat(40), 'a'.repeat(500)])(
    'a hub id whose refs/main holds %j leads to no folder',
    async (main) => {
      await cached(home, 'org/name', [commit], main);
      expect(await findModelFolder('org/name', hub, { HF_HUB_CACHE: home })).toBeNull();
    },
  );

  test('a hub id is looked for in the cache that the environment names, the most specific variable first', async () => {
    const environment: Record<string, string> = { XDG_CACHE_HOME: path.join(home, 'x') };
    const found = async () =>
      (await findModelFolder('o/n', hub, environment))?.path.slice(home.length + 1).split(path.sep)[0];
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
  ])('%j is not a hub id', async (root) => {
    expect(isHubId(root)).toBe(false);
    expect(await findModelFolder(root, hub, { HF_HUB_CACHE: home })).toBeNull();
  });
});

describe('an absolute path', () => {
  test('an absolute path is used when it is a folder or a GGUF file on this host', async () => {
    const file = path.join(home, 'model.Q4.gguf');
    await writeFile(file, 'GGUF');
    expect(await findModelFolder(home, { folders: [home] })).toEqual({ kind: 'folder', path: home, hubId: null });
    expect(await findModelFolder(file, { folders: [home] })).toEqual({ kind: 'gguf', path: file, hubId: null });
  });

  test('a path of another host, of another kind of file or with a NUL byte is not used', async () => {
    await writeFile(path.join(home, 'config.json'), '{}');
    await mkdir(path.join(home, 'folder.gguf'));
    for (const name of ['absent', 'config.json', 'folder.gguf', 'a\0b']) {
      expect(await findModelFolder(path.join(home, name), { folders: [home] }), name).toBeNull();
    }
  });

  test('a path inside a cache names its model; a link to it does not', async () => {
    const model = await cached(home, 'org/name', [commit]);
    const link = path.join(home, 'link');
    await symlink(path.join(model, 'snapshots', commit), link);
    expect((await findModelFolder(path.join(model, 'snapshots', commit), { folders: [home] }))?.hubId).toBe('org/name');
    expect((await findModelFolder(link, { folders: [home] }))?.hubId).toBeNull();
  });
});

describe('a root that an engine names', () => {
  test('a root is not read when the user allowed no folder', async () => {
    const model = await cached(home, 'org/name', [commit]);
    for (const root of ['org/name', home, path.join(model, 'snapshots', commit)]) {
      expect(await findModelFolder(root, {}, { HF_HUB_CACHE: home }), root).toBeNull();
    }
  });

  test('a root outside the allowed folders is not read, however it is written', async () => {
    const allowed = path.join(home, 'models');
    await mkdir(path.join(allowed, 'm'), { recursive: true });
    await mkdir(path.join(home, 'models-of-others'));
    await symlink(home, path.join(allowed, 'way-out'));
    const find = (root: string) => findModelFolder(root, { folders: [path.join(home, 'absent'), allowed] });
    expect((await find(path.join(allowed, 'm')))?.path).toBe(path.join(allowed, 'm'));
    expect((await find(allowed))?.path).toBe(allowed);
    for (const name of ['models-of-others', 'models/..', 'models/m/../../models-of-others', 'models/way-out', '.']) {
      expect(await find(`${home}/${name}`), name).toBeNull();
    }
    expect(await findModelFolder('org/name', { folders: [home] }, { HF_HUB_CACHE: home })).toBeNull();
  });

  test('a snapshot whose link leads out of the cache is not read', async () => {
    const cache = path.join(home, 'cache');
    const model = await cached(cache, 'org/name', []);
    await mkdir(path.join(model, 'snapshots'), { recursive: true });
    await symlink(home, path.join(model, 'snapshots', commit));
    expect(await findModelFolder('org/name', hub, { HF_HUB_CACHE: cache })).toBeNull();
  });

  test('a path of another host is not read, even when it leads into an allowed folder', async () => {
    for (const root of [`/${home}`, `\\\\host\\share\\m`, '//host/share', '\\\\?\\C:\\m', '/\\host\\m']) {
      expect(
        await findModelFolder(root, { folders: ['/', home], hubCache: true }, { HF_HUB_CACHE: home }),
        root,
      ).toBeNull();
    }
    expect((await findModelFolder(home, { folders: ['/'] }))?.path).toBe(home);
  });
});

test('an absolute root inside the cache is read when the cache is allowed', async () => {
  const snapshot = path.join(await cached(home, 'org/name', [commit]), 'snapshots', commit);
  expect(await findModelFolder(snapshot, hub, { HF_HUB_CACHE: home })).toMatchObject({
    path: snapshot,
    hubId: 'org/name',
  });
});

test('a path that the user gives is used as it is', () => {
  expect(givenModelFolder('models/x')).toEqual({ kind: 'folder', path: 'models/x', hubId: null });
  expect(givenModelFolder('X.GGUF')).toEqual({ kind: 'gguf', path: 'X.GGUF', hubId: null });
  expect(givenModelFolder('/c/models--o--n--m/snapshots/1').hubId).toBe('o/n--m');
});
