/**
 * Where a model's files lie on this host: a folder in the layout of Hugging Face, or one GGUF file.
 *
 *     given by the user        the path, as it is
 *     the engine's own `root`  an absolute path that exists here, or a hub id in the Hugging Face cache:
 *                              <cache>/models--ORG--NAME/snapshots/<commit of refs/main, or the only one>
 *
 * The cache is $HF_HUB_CACHE, $HF_HOME/hub, $XDG_CACHE_HOME/huggingface/hub or ~/.cache/huggingface/hub, the first that is
 * set. A hub id is one or two names of letters, digits, '.', '_' and '-' without '..', so it leads nowhere else.
 * Null where nothing of this is here: that is no error. The engine may run another revision than refs/main.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
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

/** The files of the model an engine names as its root. */
export async function findModelFolder(
  root: string,
  environment: Environment = process.env,
): Promise<ModelFolder | null> {
  if (path.isAbsolute(root)) return existing(root);
  if (!isHubId(root)) return null;
  const folder = await snapshotOf(root, environment);
  return folder === null ? null : { kind: 'folder', path: folder, hubId: root };
}

export function isHubId(text: string): boolean {
  return text.length <= 200 && /^[a-z0-9][\w.-]*(\/[a-z0-9][\w.-]*)?$/i.test(text) && !text.includes('..');
}

async function existing(root: string): Promise<ModelFolder | null> {
  if (root.includes('\0')) return null;
  const place = givenModelFolder(root);
  const found = await stat(root).catch(() => null);
  const right = place.kind === 'gguf' ? found?.isFile() : found?.isDirectory();
  return right ? place : null;
}

async function snapshotOf(hubId: string, environment: Environment): Promise<string | null> {
  const model = path.join(hubCache(environment), `models--${hubId.replace('/', '--')}`);
  const snapshots = path.join(model, 'snapshots');
  const reference = await readReference(path.join(model, 'refs', 'main'));
  if (reference !== 'absent') return reference === null ? null : isFolder(path.join(snapshots, reference));
  const names = await readdir(snapshots).catch(() => []);
  return names.length === 1 ? isFolder(path.join(snapshots, names[0]!)) : null;
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

function hubCache({ HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME }: Environment): string {
  if (HF_HUB_CACHE) return HF_HUB_CACHE;
  return path.join(HF_HOME || path.join(XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'huggingface'), 'hub');
}

/** A path inside a cache names its model: .../models--ORG--NAME/snapshots/<commit>. */
function hubIdOfPath(given: string): string | null {
  const [, name] = /(?:^|[\\/])models--([^\\/]+)[\\/]snapshots[\\/]/.exec(given) ?? [];
  const hubId = name?.replace('--', '/');
  return hubId !== undefined && isHubId(hubId) ? hubId : null;
}
