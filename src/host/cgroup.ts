/**
 * Limits of the control groups this process is in, versions 2 and 1: the strictest of its own and of those above.
 *
 *     version 2   cpu.max               "quota period" in microseconds, or "max period":  cpus = quota / period
 *                 memory.max            bytes or "max";  free = memory.max - memory.current + inactive_file
 *     version 1   cpu.cfs_quota_us      microseconds, or -1;  cpus = cpu.cfs_quota_us / cpu.cfs_period_us
 *                 memory.limit_in_bytes bytes, or a number near 2^63;
 *                 free = memory.limit_in_bytes - memory.usage_in_bytes + total_inactive_file
 *
 * The inactive part of the cache is what the kernel gives back first. A limit that is not set or cannot be read is null: no
 * Linux, no control group, a file that is absent or refused. The files are the kernel's, in memory: they are read at once.
 * Sources: Linux, Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';

export interface CgroupLimits {
  cpus: number | null;
  memoryBytes: number | null;
  memoryFreeBytes: number | null;
}

const MEMBERSHIP = '/proc/self/cgroup';
const MOUNT = '/sys/fs/cgroup';
/** Version 1 writes "no limit" as the greatest whole number of pages. */
const UNLIMITED = 2 ** 62;

export function cgroupLimits(membership = MEMBERSHIP, mount = MOUNT): CgroupLimits {
  const memories = foldersOf('memory', membership, mount).map(memoryOf);
  return {
    cpus: cgroupCpus(membership, mount),
    memoryBytes: leastKnown(memories.map(({ bytes }) => bytes)),
    memoryFreeBytes: leastKnown(memories.map(({ free }) => free)),
  };
}

/** The quota alone. */
export function cgroupCpus(membership = MEMBERSHIP, mount = MOUNT): number | null {
  return leastKnown(foldersOf('cpu', membership, mount).map(quotaOf));
}

/** The path of this process' group below the mount, or null without cgroup v2. */
export function ownGroup(membership: string): string | null {
  const group = /^0::(\/.*)$/m.exec(read(membership) ?? '')?.[1];
  return group === undefined ? null : path.posix.normalize(group);
}

/** The least of the values that are known; null when none is. */
export function leastKnown(values: readonly (number | null)[]): number | null {
  return values.reduce((least, value) => (least === null || (value !== null && value < least) ? value : least), null);
}

interface Folder {
  version: 1 | 2;
  path: string;
}

/** The folders of the own group and of those above, for one controller. */
function foldersOf(controller: string, membership: string, mount: string): Folder[] {
  const lines = (read(membership) ?? '').split('\n').map((line) => /^\d+:([^:]*):(\/.*)$/.exec(line));
  return lines.flatMap((line): Folder[] => {
    const [, names = '', group = '/'] = line ?? [];
    if (line === null) return [];
    if (names === '') return levels(mount, group).map((folder) => ({ version: 2, path: folder }));
    if (!names.split(',').includes(controller)) return [];
    const roots = [...new Set([names, controller])].map((name) => path.posix.join(mount, name));
    return roots.flatMap((root) => levels(root, group)).map((folder) => ({ version: 1, path: folder }));
  });
}

function levels(root: string, group: string): string[] {
  const folders: string[] = [];
  for (let level = path.posix.normalize(group); ; level = path.posix.dirname(level)) {
    folders.push(path.posix.join(root, level));
    if (level === '/') return folders;
  }
}

function quotaOf({ version, path: folder }: Folder): number | null {
  const file = (name: string) => read(path.posix.join(folder, name))?.trim();
  const [quota, period] =
    version === 2 ? (file('cpu.max') ?? '').split(' ') : [file('cpu.cfs_quota_us'), file('cpu.cfs_period_us')];
  const [most, each] = [whole(quota), whole(period)];
  return most === null || each === null || most === 0 || each === 0 ? null : most / each;
}

function memoryOf({ version, path: folder }: Folder): { bytes: number | null; free: number | null } {
  const names =
    version === 2
      ? { most: 'memory.max', used: 'memory.current', cache: /^inactive_file (\d+)$/m }
      : { most: 'memory.limit_in_bytes', used: 'memory.usage_in_bytes', cache: /^total_inactive_file (\d+)$/m };
  const file = (name: string) => read(path.posix.join(folder, name));
  const bytes = whole(file(names.most));
  if (bytes === null || bytes >= UNLIMITED) return { bytes: null, free: null };
  const used = whole(file(names.used));
  const cache = whole(names.cache.exec(file('memory.stat') ?? '')?.[1]) ?? 0;
  return { bytes, free: used === null ? null : Math.max(0, bytes - used + cache) };
}

/** Null for "max", -1 and what is absent. */
function whole(text: string | null | undefined): number | null {
  return text !== null && text !== undefined && /^\d+$/.test(text.trim()) ? Number(text) : null;
}

/** Null when it cannot be read. */
function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
