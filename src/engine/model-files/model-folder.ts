/**
 * Where a model's files lie on this host: a folder in the layout of Hugging Face, or one GGUF file.
 *
 *     given by the user        the path, as it is
 *     the engine's own `root`  an absolute path inside of a folder that the user allowed (links followed), or a hub id in
 *                              the Hugging Face cache, where the user allowed it:
 *                              <cache>/models--ORG--NAME/snapshots/<commit of refs/main, or the only one>
 *
 * An engine is not trusted: what it names elsewhere is neither read nor looked for, and a path of another host (//host or
 * \\host) is not even asked the system about, for that would contact the host.
 * The cache is $HF_HUB_CACHE, $HF_HOME/hub, $XDG_CACHE_HOME/huggingface/hub or ~/.cache/huggingface/hub, the first that is
 * set. A hub id is one or two names of letters, digits, '.', '_' and '-' without '..', so it leads nowhere else.
 * Null where nothing of this is here: that is no error. The engine may run another revision than refs/main.
 */
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

export interface ModelFolder {
  kind: 'folder' | 'gguf';
  path: string;
  /** 'org/name', where the path or the engine tells. */
  hubId: string | null;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The folder or GGUF file the user names; whether it is there shows when it is read. */
export function givenModelFolder(given: string): ModelFolder {
  return { kind: /\.gguf$/i.test(given) ? 'gguf' : 'folder', path: given, hubId: hubIdOfPath(given) };
}

/** What of this host an engine may lead to; nothing when left out. */
export interface AllowedPlaces {
  /** Folders: a root inside of one, or one itself, may be read. */
  folders?: readonly string[] | undefined;
  /** The Hugging Face cache. */
  hubCache?: boolean | undefined;
}

/** The files of the model an engine names as its root. */
export async function findModelFolder(
  root: string,
  { folders = [], hubCache = false }: AllowedPlaces,
  environment: Environment = process.env,
): Promise<ModelFolder | null> {
  if (isRemote(root) || root.includes('\0')) return null;
  const cache = hubCache ? [hubCachePath(environment)] : [];
  if (path.isAbsolute(root)) return existing(root, [...folders, ...cache]);
  if (!hubCache || !isHubId(root)) return null;
  const folder = await snapshotOf(root, cache[0]!);
  return folder === null ? null : { kind: 'folder', path: folder, hubId: root };
}

/** A UNC path or a device: asking the system about it may contact another host. */
function isRemote(root: string): boolean {
  return /^[\\/]{2}/.test(root);
}

export function isHubId(text: string): boolean {
  return text.length <= 200 && /^[a-z0-9][\w.-]*(\/[a-z0-9][\w.-]*)?$/i.test(text) && !text.includes('..');
}

async function existing(root: string, allowed: readonly string[]): Promise<ModelFolder | null> {
  if (!(await isInside(root, allowed))) return null;
  const place = givenModelFolder(root);
  const found = await stat(root).catch(() => null);
  const right = place.kind === 'gguf' ? found?.isFile() : found?.isDirectory();
  return right ? place : null;
}

/** By where the links lead, and first by the text: what lies elsewhere is not looked for. */
async function isInside(root: string, folders: readonly string[]): Promise<boolean> {
  const contains = (folder: string, place: string) => {
    const way = path.relative(folder, place);
    return way !== '..' && !way.startsWith(`..${path.sep}`) && !path.isAbsolute(way);
  };
  for (const folder of folders) {
    const absolute = path.resolve(folder);
    const real = await realpath(absolute).catch(() => null);
    if (real === null || !(contains(absolute, path.resolve(root)) || contains(real, path.resolve(root)))) continue;
    const place = await realpath(root).catch(() => null);
    if (place !== null && contains(real, place)) return true;
  }
  return false;
}

async function snapshotOf(hubId: string, cache: string): Promise<string | null> {
  const model = path.join(cache, `models--${hubId.replace('/', '--')}`);
  const snapshots = path.join(model, 'snapshots');
  const reference = await readReference(path.join(model, 'refs', 'main'));
  const isHere = async (name: string) => {
    const folder = path.join(snapshots, name);
    return (await isInside(folder, [cache])) ? isFolder(folder) : null;
  };
  if (reference !== 'absent') return reference === null ? null : isHere(reference);
  const names = await readdir(snapshots).catch(() => []);
  return names.length === 1 ? isHere(names[0]!) : null;
}

/** The commit that a reference names; null when it holds something else. */
async function readReference(file: string): Promise<string | 'absent' | null> {
  try {
    const found = await stat(file);
    if (!found.isFile() || found.size > 128) return null;
    const commit = (await readFile(file, 'utf8')).trim();
    return /^[0-9a-f]{6,64}$/.test(commit) ? commit : null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'absent' : null;
  }
}

async function isFolder(folder: string): Promise<string | null> {
  const found = await stat(folder).catch(() => null);
  return found?.isDirectory() ? folder : null;
}

function hubCachePath({ HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME }: Environment): string {
  if (HF_HUB_CACHE) return HF_HUB_CACHE;
  return path.join(HF_HOME || path.join(XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'huggingface'), 'hub');
}

/** A path inside a cache names its model: .../models--ORG--NAME/snapshots/<commit>. */
function hubIdOfPath(given: string): string | null {
  const [, name] = /(?:^|[\\/])models--([^\\/]+)[\\/]snapshots[\\/]/.exec(given) ?? [];
  const hubId = name?.replace('--', '/');
  return hubId !== undefined && isHubId(hubId) ? hubId : null;
}
