/**
 * Limits of the control groups (cgroup v2) this process is in: the strictest of its own and of those above.
 *
 *     cpu.max      "quota period" in microseconds, or "max period":  cpus = quota / period
 *     memory.max   bytes or "max";  free = memory.max - memory.current + inactive_file (cache the kernel gives back first)
 *
 * Where there is no cgroup v2 (no Linux, version 1) nothing is limited: every limit is Infinity.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';

export interface CgroupLimits {
  cpus: number;
  memoryBytes: number;
  memoryFreeBytes: number;
}

const unlimited: CgroupLimits = {
  cpus: Number.POSITIVE_INFINITY,
  memoryBytes: Number.POSITIVE_INFINITY,
  memoryFreeBytes: Number.POSITIVE_INFINITY,
};

export async function cgroupLimits(membership = '/proc/self/cgroup', mount = '/sys/fs/cgroup'): Promise<CgroupLimits> {
  const group = await ownGroup(membership);
  if (group === null) return unlimited;
  const levels: string[] = [];
  for (let level = group; ; level = path.posix.dirname(level)) {
    levels.push(path.posix.join(mount, level));
    if (level === '/') break;
  }
  const limits = await Promise.all(levels.map(limitsOf));
  return limits.reduce((a, b) => ({
    cpus: Math.min(a.cpus, b.cpus),
    memoryBytes: Math.min(a.memoryBytes, b.memoryBytes),
    memoryFreeBytes: Math.min(a.memoryFreeBytes, b.memoryFreeBytes),
  }));
}

/** The path of this process' group below the mount, or null without cgroup v2. */
export async function ownGroup(membership: string): Promise<string | null> {
  const group = /^0::(\/.*)$/m.exec((await read(membership)) ?? '')?.[1];
  return group === undefined ? null : path.posix.normalize(group);
}

async function limitsOf(folder: string): Promise<CgroupLimits> {
  const [cpu, most, used, kinds] = await Promise.all(
    ['cpu.max', 'memory.max', 'memory.current', 'memory.stat'].map((file) => read(path.posix.join(folder, file))),
  );
  const [quota, period] = (cpu ?? 'max 1').trim().split(' ').map(Number);
  const bytes = Number(most ?? Number.NaN); // "max" is no number: no limit
  const limited = Number.isFinite(bytes);
  const cache = Number(/^inactive_file (\d+)$/m.exec(kinds ?? '')?.[1] ?? 0);
  return {
    cpus: quota && period ? quota / period : Number.POSITIVE_INFINITY,
    memoryBytes: limited ? bytes : Number.POSITIVE_INFINITY,
    memoryFreeBytes: limited ? Math.max(0, bytes - Number(used ?? 0) + cache) : Number.POSITIVE_INFINITY,
  };
}

/** Null when there is no such file: the controller is not on, or this is not Linux. */
async function read(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
