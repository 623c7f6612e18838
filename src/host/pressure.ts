/**
 * Pressure stall information: the share of the last ten seconds in which some task waited for a resource, in [0, 1].
 *
 *     cpu.pressure, memory.pressure, io.pressure of the own cgroup, else /proc/pressure/*
 *     "some avg10=12.34 avg60=... avg300=... total=..."        12.34 is percent
 *
 * Null where the kernel does not tell (no Linux, or PSI switched off). The files are the kernel's, in memory: they are read at once.
 * Source: Linux, Documentation/accounting/psi.rst.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ownGroup } from './cgroup.js';

export interface Pressure {
  cpu: number | null;
  memory: number | null;
  io: number | null;
}

export function pressure(proc = '/proc', mount = '/sys/fs/cgroup'): Pressure {
  const group = ownGroup(path.posix.join(proc, 'self/cgroup'));
  const of = (resource: string) => {
    const own = group === null ? null : some(path.posix.join(mount, group, `${resource}.pressure`));
    return own ?? some(path.posix.join(proc, 'pressure', resource));
  };
  return { cpu: of('cpu'), memory: of('memory'), io: of('io') };
}

function some(file: string): number | null {
  try {
    const percent = /^some avg10=(\d+(?:\.\d+)?) /m.exec(readFileSync(file, 'utf8'))?.[1];
    return percent === undefined ? null : Math.min(1, Number(percent) / 100);
  } catch {
    return null; // absent, or PSI is off (EOPNOTSUPP): the kernel does not tell
  }
}
