/** Programs of other platforms on this machine. */
import { spawnSync } from 'node:child_process';

/** Whether a command is installed. */
export function has(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** qemu's user emulator of an architecture in qemu's words, such as aarch64; undefined where none is installed. */
export function emulatorOf(arch) {
  return [`qemu-${arch}-static`, `qemu-${arch}`].find(has);
}
