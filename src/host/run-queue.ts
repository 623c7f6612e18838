/**
 * Tasks that run or want to, for each CPU of this host, without the one that asks: the queue of this moment.
 *
 *     (procs_running - 1) / CPUs      of /proc/stat; where that does not say, the running tasks of /proc/loadavg, "2/256"
 *
 * Null where the kernel tells neither (no Linux). The files are the kernel's, in memory: they are read at once.
 * Source: Linux, Documentation/filesystems/proc.rst.
 */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export function runQueuePerCpu(proc = '/proc'): number | null {
  const stat = read(path.posix.join(proc, 'stat'));
  const cpus = stat.match(/^cpu\d+ /gm)?.length ?? os.cpus().length;
  const running =
    /^procs_running (\d+)$/m.exec(stat)?.[1] ??
    /^(?:\S+ ){3}(\d+)\/\d+ /.exec(read(path.posix.join(proc, 'loadavg')))?.[1];
  return running === undefined || cpus === 0 ? null : Math.max(0, Number(running) - 1) / cpus;
}

/** Empty where it cannot be read: the kernel does not tell. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
