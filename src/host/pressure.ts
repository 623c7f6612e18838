/**
 * Pressure stall information: the share of the last ten seconds in which some task waited for a resource, in [0, 1].
 *
 *     cpu.pressure, memory.pressure, io.pressure of the own cgroup, else /proc/pressure/*
 *     "some avg10=12.34 avg60=... avg300=... total=..."        12.34 is percent
 *
 * Null where the kernel does not tell (no Linux, or PSI switched off).
 * Source: Linux, Documentation/accounting/psi.rst.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ownGroup } from './cgroup.js';

export interface Pressure {
  cpu: number | null;
  memory: number | null;
  io: number | null;
}

export async function pressure(proc = '/proc', mount = '/sys/fs/cgroup'): Promise<Pressure> {
  const group = ownGroup(path.posix.join(proc, 'self/cgroup'));
  const [cpu, memory, io] = await Promise.all(
    ['cpu', 'memory', 'io'].map(async (resource) => {
      const own = group === null ? null : await some(path.posix.join(mount, group, `${resource}.pressure`));
      return own ?? some(path.posix.join(proc, 'pressure', resource));
    }),
  );
  return { cpu: cpu!, memory: memory!, io: io! };
}

async function some(file: string): Promise<number | null> {
  try {
    const percent = /^some avg10=(\d+(?:\.\d+)?) /m.exec(await readFile(file, 'utf8'))?.[1];
    return percent === undefined ? null : Math.min(1, Number(percent) / 100);
  } catch {
    return null; // absent, or PSI is off (EOPNOTSUPP): the kernel does not tell
  }
}
